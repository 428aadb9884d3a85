import HTTPTypes
import NIOCore
import Synchronization

/// One request on its way to the upstream, as its maker and the upstream's connection share it.
final class Exchange: Sendable {
    private struct State {
        var connection: (any Channel)?
        var isReused = false
        var isAbandoned = false
        var isSent = false
        var trailers: HTTPFields?
        var sentWaiter: CheckedContinuation<Void, Never>?
    }

    /// The request's target as it is written.
    let target: String

    private let state = Mutex(State())

    init(target: String) { self.target = target }

    /// Whether a connection has taken the request.
    var wasConnected: Bool { state.withLock { $0.connection != nil } }

    /// Whether the connection had served another request before, so that the upstream may have been closing it.
    var wasReused: Bool { state.withLock { $0.isReused } }

    /// Whether nobody waits for the answer any more.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// The fields behind the answer's body.
    var trailers: HTTPFields? {
        get { state.withLock { $0.trailers } }
        set { state.withLock { $0.trailers = newValue } }
    }

    /// Begins on a connection.
    ///
    /// - Returns: Whether somebody still waits for the answer.
    func begin(on connection: any Channel, isReused: Bool) -> Bool {
        state.withLock { state in
            state.connection = connection
            state.isReused = isReused
            return !state.isAbandoned
        }
    }

    /// Waits until what was written has met the connection, which then has the next write wait if it is full.
    func settle() async {
        let connection = state.withLock { $0.connection }
        try? await connection?.eventLoop.submit {}.get()
    }

    /// Breaks the exchange off, wherever it is.
    func abandon() {
        let connection = state.withLock { state in
            state.isAbandoned = true
            return state.connection
        }
        connection?.pipeline.fireUserInboundEventTriggered(Abandoned(exchange: self))
    }

    /// The request is written, or will not be.
    func wasSent() {
        let waiter = state.withLock { state in
            state.isSent = true
            return state.sentWaiter.take()
        }
        waiter?.resume()
    }

    /// Waits until the request is written or broken off; a cancelled task breaks it off.
    func sent() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSent = state.withLock { state in
                    if !state.isSent { state.sentWaiter = continuation }
                    return state.isSent
                }
                if isSent { continuation.resume() }
            }
        } onCancel: {
            abandon()
        }
    }

    /// Tells a connection that nobody waits for this exchange; it may be busy with another.
    struct Abandoned: Sendable {
        let exchange: Exchange
    }
}
