public import HeadgateHTTP
public import NIOCore

/// The connection that a request came over, for whoever makes the answer.
///
/// It does something only on a server with the handlers of ``ClientPatience``.
public struct ClientConnection: Sendable {
    private let channel: any Channel

    /// The connection of a channel, as Hummingbird hands it to a request context.
    public init(_ channel: any Channel) { self.channel = channel }

    /// The address of the connection's other end; `nil` when it has none, as on a unix socket.
    public var peer: NetworkAddress? { channel.remoteAddress?.ipAddress.flatMap { NetworkAddress($0) } }

    /// Has a client that waits for it told to send its body (RFC 9110 10.1.1).
    public func continueBody() { channel.triggerUserOutboundEvent(ClientEvent.continueBody, promise: nil) }

    /// Calls back once when the client is gone, whether it waits for an answer or reads one; until ``unwatch()``.
    func watch(_ onGone: @escaping @Sendable () -> Void) {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        // Nobody takes the event: the channel is closed, or has no handlers.
        promise.futureResult.whenFailure { _ in channel.closeFuture.whenComplete { _ in onGone() } }
        channel.triggerUserOutboundEvent(ClientEvent.watch(onGone), promise: promise)
    }

    func unwatch() { channel.triggerUserOutboundEvent(ClientEvent.unwatch, promise: nil) }

    /// Waits until what was written has met the channel, which then has the next write wait if it is full.
    func settle() async { try? await channel.eventLoop.submit {}.get() }

    /// Takes no more of the request's body: it ends here for whoever reads it, and the connection ends with the answer.
    func abandonBody() { channel.triggerUserOutboundEvent(ClientEvent.abandonBody, promise: nil) }
}

/// What an answer's maker tells its connection.
enum ClientEvent: Sendable {
    case watch(@Sendable () -> Void), unwatch, continueBody, abandonBody
}

/// The client did not send what it had begun.
struct ClientGone: Error {}
