internal import Headgate
internal import NIOCore

/// What a lane does on its event loop: it moves calls from the inbox to the connection, dials, and keeps the time.
final class LaneCore {
    /// The node, once `run()` has begun.
    weak var node: Node?

    private let number: Int
    private let settings: LaneSettings
    private let inbox: Inbox
    private let eventLoop: any EventLoop

    private var reconnection: Reconnection
    /// The connection that stands or is being made.
    private var connection: ConnectionHandler?
    /// When the attempt to connect is given up.
    private var dialEnds: NIODeadline?
    /// Calls that no connection has taken yet.
    private var waiting = CircularBuffer<Attempt>()
    private var spare: [Attempt] = []
    private var timer: (at: NIODeadline, task: Scheduled<Void>)?
    private var stopping: (limit: NIODeadline, done: EventLoopPromise<Void>)?

    init(number: Int, settings: LaneSettings, inbox: Inbox, eventLoop: any EventLoop) {
        self.number = number
        self.settings = settings
        self.inbox = inbox
        self.eventLoop = eventLoop
        reconnection = Reconnection(isLeader: number == 0, backoff: settings.configuration.backoff)
    }

    private var isLeader: Bool { number == 0 }
    private var othersUp: Bool { node?.isUp(besides: number) ?? false }
}

// MARK: Calls

extension LaneCore {
    /// Takes what callers left, and sends it on.
    func collect() {
        inbox.take(&spare)
        var earliest: NIODeadline?
        for attempt in spare {
            waiting.append(attempt)
            earliest = min(earliest ?? attempt.call.deadline, attempt.call.deadline)
        }
        spare.removeAll(keepingCapacity: true)
        pump()
        if let earliest { arm(at: earliest) }
    }

    /// Brings the waiting calls as far as they can get now.
    private func pump() {
        guard !waiting.isEmpty else { return }
        switch reconnection.phase {
        case .up:
            sendWaiting()
        case .idle where stopping == nil, .dialing where isLeader:
            break
        case .resting where isLeader:
            perform(reconnection.demanded())
        case .refusing(_, let error) where isLeader && !othersUp:
            refuseWaiting(error)
        case .dialing, .resting, .refusing:
            reroute()
        case .idle, .stopped:
            refuseWaiting(LaneCore.closed)
        }
    }

    private func sendWaiting() {
        guard let connection else { return }
        if connection.takesCalls {
            // What the channel has no room for waits here, where it can still expire unsent.
            if connection.isWritable { connection.send(takeWaiting()) }
        } else if !isLeader || othersUp {
            reroute()
        }
    }

    /// Taken as a whole: sending may come back here.
    private func takeWaiting() -> CircularBuffer<Attempt> {
        let attempts = waiting
        waiting = CircularBuffer()
        return attempts
    }

    /// Gives the waiting calls to a lane that is up, or to the leader.
    private func reroute() {
        guard let node else { return refuseWaiting(LaneCore.closed) }
        for attempt in takeWaiting() { node.submit(attempt) }
    }

    private func refuseWaiting(_ error: LimiterError) {
        for attempt in takeWaiting() { attempt.call.finish(.failure(error)) }
    }
}

// MARK: The connection

extension LaneCore {
    /// Begins to connect.
    func start() {
        perform(reconnection.start(at: eventLoop.now, random: settings.random()))
        rearm()
    }

    private func perform(_ action: Reconnection.Action) {
        switch action {
        case .none: break
        case .dial: dial()
        }
    }

    private func dial() {
        let handler = ConnectionHandler(settings: settings, owner: self)
        connection = handler
        let ends = eventLoop.now + TimeAmount(settings.configuration.connectTimeout)
        dialEnds = ends
        // Those who come while an attempt is under way wait for it.
        if stopping == nil { inbox.refuse(nil) }
        settings.dial(eventLoop, NIOLoopBound(handler, eventLoop: eventLoop)).assumeIsolated().whenFailure { error in
            handler.end(.connecting(error))
        }
        arm(at: ends)
    }

    /// The connection has been greeted and takes calls.
    func connectionIsReady(_ handler: ConnectionHandler) {
        guard handler === connection else { return }
        dialEnds = nil
        reconnection.connected(at: eventLoop.now)
        inbox.isUp = true
        settings.telemetry.connected(lane: number)
        pump()
    }

    /// The server cannot serve us: the connection takes no more calls, and ends when its replies are there.
    func connectionIsDraining(_ handler: ConnectionHandler) {
        guard handler === connection else { return }
        inbox.isUp = false
    }

    /// A call that Redis certainly did not run waits again.
    func takeBack(_ attempt: Attempt) {
        guard attempt.call.markQueued() else { return }
        waiting.append(attempt)
    }

    /// The connection can take more bytes.
    func connectionIsWritable(_ handler: ConnectionHandler) {
        guard handler === connection else { return }
        pump()
    }

    /// Replies were handed out.
    func connectionMadeProgress() {
        if stopping != nil { finishStopping() }
    }

    /// The connection, or the attempt to make one, is over.
    func connectionEnded(_ handler: ConnectionHandler, _ error: LimiterError, hadServed: Bool) {
        guard handler === connection else { return }
        connection = nil
        dialEnds = nil
        inbox.isUp = false
        if stopping != nil { return finishStopping() }
        settings.telemetry.disconnected(lane: number, error)
        let action = reconnection.ended(error, hadServed: hadServed, at: eventLoop.now, othersUp: othersUp, random: settings.random())
        if isLeader, case .refusing(_, let error) = reconnection.phase { inbox.refuse(error) }
        if othersUp { reroute() }
        perform(action)
        pump()
        rearm()
    }
}

// MARK: Time

extension LaneCore {
    /// One callback a lane is armed, for whatever comes first.
    private func arm(at deadline: NIODeadline) {
        if let timer {
            guard deadline < timer.at else { return }
            timer.task.cancel()
        }
        // Deadlines that follow each other closely share a callback.
        let at = deadline + .microseconds(500)
        timer = (deadline, eventLoop.assumeIsolated().scheduleTask(deadline: at) { self.tick() })
    }

    private func tick() {
        timer = nil
        let now = eventLoop.now
        if let dialEnds, dialEnds <= now {
            connection?.end(LimiterError(.connect, "Redis did not accept the connection in time"))
        }
        connection?.tick(at: now)
        perform(reconnection.tick(at: now, othersUp: othersUp, random: settings.random()))
        expireWaiting(at: now)
        finishStopping()
        rearm()
    }

    private func expireWaiting(at now: NIODeadline) {
        var rest = CircularBuffer<Attempt>()
        for attempt in waiting where !attempt.call.isOver {
            if attempt.call.deadline > now {
                rest.append(attempt)
            } else if case .idle = reconnection.phase {
                attempt.call.finish(.failure(LaneCore.notRunning))
            } else {
                attempt.call.giveUp(.deadlineExceeded, "there was no connection to Redis within the deadline")
            }
        }
        waiting = rest
    }

    private func rearm() {
        let deadlines = [
            waiting.lazy.map { $0.call.deadline }.min(), connection?.wakesAt, reconnection.wakesAt, dialEnds, stopping?.limit,
        ]
        if let next = deadlines.compactMap(\.self).min() { arm(at: next) }
    }
}

// MARK: The end

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

    private func finishStopping() {
        guard let stopping else { return }
        let isBusy = !waiting.isEmpty || (connection?.isAwaited ?? false)
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

    private static let closed = LimiterError(.closed, "the Redis store is shut down")
    private static let notRunning = LimiterError(
        .closed,
        "the Redis store's run() is not running; run it in a ServiceGroup or a task of its own"
    )
}
