internal import Headgate
internal import NIOCore

extension LaneCore {
    /// Takes no more calls, answers those that it has until `limit`, and closes.
    func stop(by limit: NIODeadline) -> EventLoopFuture<Void> {
        inbox.refuse(LaneCore.closed)
        if case .stopped = reconnection.phase { return eventLoop.makeSucceededVoidFuture() }
        let done = stopping?.done ?? eventLoop.makePromise(of: Void.self)
        stopping = (limit, done)
        collect()
        finishStopping()
        rearm()
        return done.futureResult
    }

    /// Takes no more calls, hands on those that were not sent, and closes once the others are answered.
    func retire() {
        inbox.refuse(LaneCore.closed)
        inbox.take(&spare)
        waiting.append(contentsOf: spare)
        spare.removeAll()
        if let left = settings.left { for attempt in takeWaiting() { left(attempt) } }
        _ = stop(by: eventLoop.now + LaneCore.lastAnswers)
    }

    /// How long a connection that is not needed any more stays for the answers that it owes.
    static let lastAnswers = TimeAmount.seconds(1)

    func finishStopping() {
        guard let stopping else { return }
        let isBusy = !waiting.isEmpty || packer.isCrowded || (connection?.isAwaited ?? false)
        guard !isBusy || stopping.limit <= eventLoop.now else { return }
        reconnection.stop()
        refuseWaiting(LaneCore.closed)
        if let connection {
            // Comes back here by `connectionEnded`.
            connection.end(LaneCore.closed)
        } else {
            self.stopping = nil
            stopping.done.succeed()
        }
    }

    static let closed = LimiterError(.closed, "the Redis store is shut down")
    static let notRunning = LimiterError(
        .closed,
        "the Redis store's run() is not running; run it in a ServiceGroup or a task of its own"
    )
}
