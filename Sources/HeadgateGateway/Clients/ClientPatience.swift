public import NIOCore

/// How long a server waits for its clients, so that slow ones cannot hold its connections.
///
/// ```swift
/// HTTP1Channel.Configuration(additionalChannelHandlers: ClientPatience().handlers())
/// ```
///
/// A client that is too slow is answered 408 when its request has no answer yet, and is disconnected.
public struct ClientPatience: Sendable, Hashable {
    /// From the connection's start until a whole head is there; single bytes that drip in do not extend it.
    public var head: Duration

    /// For more of a request's body, while somebody waits to read it.
    public var body: Duration

    /// From an answer's end until the next request's head is there; and for a client to take more of an answer.
    public var idle: Duration

    /// For a client to close its side after ours is closed, so that it can read the last answer before the connection is torn down.
    public var linger: Duration

    /// Creates the patience of a public server.
    public init(
        head: Duration = .seconds(5),
        body: Duration = .seconds(10),
        idle: Duration = .seconds(60),
        linger: Duration = .seconds(2)
    ) {
        self.head = head
        self.body = body
        self.idle = idle
        self.linger = linger
    }

    /// The channel handlers of one connection; they also refuse requests that two readers could take differently.
    ///
    /// They belong into Hummingbird's `HTTP1Channel`, as its additional channel handlers.
    @Sendable public func handlers() -> [any RemovableChannelHandler] { [ClientHandlersInstaller(patience: self)] }
}
