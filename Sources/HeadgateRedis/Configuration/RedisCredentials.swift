/// The user and the password that Redis is told at each connect.
///
/// Neither stands in any description, mirror, error or log line.
public struct RedisCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// One user's name and password.
    package struct Pair: Sendable {
        package var user: String?
        package var password: String

        /// The command that says them.
        var command: [String] { ["AUTH"] + (user.map { [$0] } ?? []) + [password] }
    }

    private enum Source {
        case provider(@Sendable () -> Pair)
        case file(user: String?, PasswordFile)
    }

    private let source: Source

    /// Credentials that do not change; without a user they are those of Redis' default user.
    public init(user: String? = nil, password: String) {
        source = .provider { Pair(user: user, password: password) }
    }

    /// Credentials that are asked for anew at each connect, so that a rotated password needs no restart.
    ///
    /// The provider runs on an event loop and must return at once: it hands out what was read before.
    public init(provider: @escaping @Sendable () -> (user: String?, password: String)) {
        source = .provider {
            let (user, password) = provider()
            return Pair(user: user, password: password)
        }
    }

    /// Credentials whose password is what a file holds, without the blanks and line ends around it, read at each connect.
    ///
    /// A file that cannot be read any more leaves the password that was read last.
    public init(user: String? = nil, passwordFile path: String) {
        source = .file(user: user, PasswordFile(path))
    }

    /// What to send now; `nil` when its file could never be read.
    package var current: Pair? {
        switch source {
        case .provider(let pair): pair()
        case .file(let user, let file): file.password.map { Pair(user: user, password: $0) }
        }
    }

    /// The file to read before `current` is asked for.
    var file: PasswordFile? {
        if case .file(_, let file) = source { file } else { nil }
    }

    /// A fixed text.
    public var description: String { "RedisCredentials(redacted)" }

    /// The same fixed text.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
