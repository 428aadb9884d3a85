/// The user and the password that Redis is told at each connect.
///
/// Neither stands in any description, mirror, error or log line.
public struct RedisCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// One user's name and password.
    package struct Pair: Sendable {
        package var user: String?
        package var password: String
    }

    private let source: @Sendable () -> Pair

    /// Credentials that do not change; without a user they are those of Redis' default user.
    public init(user: String? = nil, password: String) {
        source = { Pair(user: user, password: password) }
    }

    /// Credentials that are asked for anew at each connect, so that a rotated password needs no restart.
    ///
    /// The provider runs on an event loop and must return at once: it hands out what was read before.
    public init(provider: @escaping @Sendable () -> (user: String?, password: String)) {
        source = {
            let (user, password) = provider()
            return Pair(user: user, password: password)
        }
    }

    /// What to send now.
    package var current: Pair { source() }

    /// A fixed text.
    public var description: String { "RedisCredentials(redacted)" }

    /// The same fixed text.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
