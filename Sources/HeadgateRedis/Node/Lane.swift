internal import Headgate
internal import NIOCore

/// One connection of a node with all that waits for it, over all its reconnects.
///
/// This is the side that callers see from any thread; what happens on the event loop is in ``LaneCore``.
final class Lane: Sendable {
    /// The lane's number in its node; 0 is the leader.
    let number: Int

    private let eventLoop: any EventLoop
    private let inbox = Inbox()
    private let left: (@Sendable (Attempt) -> Void)?
    private let core: NIOLoopBoundBox<LaneCore>

    init(number: Int, settings: LaneSettings, eventLoop: any EventLoop) {
        self.number = number
        self.eventLoop = eventLoop
        left = settings.left
        let inbox = inbox
        core = .makeBoxSendingValue(LaneCore(number: number, settings: settings, inbox: inbox, eventLoop: eventLoop), eventLoop: eventLoop)
    }

    /// Whether the connection stands and takes calls.
    var isUp: Bool { inbox.isUp }

    /// The time by which deadlines are measured.
    var now: NIODeadline { eventLoop.now }

    /// Takes a call on its way.
    ///
    /// Only the first call of a batch wakes the event loop.
    func submit(_ attempt: Attempt) {
        attempt.call.lane = self
        switch inbox.put(attempt) {
        case .wake: eventLoop.execute { [core] in core.value.collect() }
        case .queued: break
        case .refused(let error):
            if let left, error.code == .closed { left(attempt) } else { attempt.call.finish(.failure(error)) }
        }
    }

    /// Begins to connect.
    func start(in node: Node) {
        eventLoop.execute { [core, weak node] in
            core.value.node = node
            core.value.start()
        }
    }

    /// Tries a few times a second whether the node serves again, until it does.
    func beginProbing() {
        eventLoop.execute { [core] in core.value.beginProbing() }
    }

    /// Leaves the connection unless it leads to this place.
    func move(to endpoint: RedisEndpoint) {
        eventLoop.execute { [core] in core.value.move(to: endpoint) }
    }

    /// Takes no more calls, hands on those that were not sent, and closes once the others are answered.
    func retire() {
        eventLoop.execute { [core] in core.value.retire() }
    }

    /// Takes no more calls, answers those that it has until `limit`, and closes.
    func stop(by limit: NIODeadline) -> EventLoopFuture<Void> {
        eventLoop.flatSubmit { [core] in core.value.stop(by: limit) }
    }
}
