internal import Headgate
internal import NIOCore

/// What a lane does on its event loop: it moves calls from the inbox to the connection, dials, and keeps the time.
final class LaneCore {
    /// The node, once `run()` has begun.
    weak var node: Node?

    let number: Int
    let settings: LaneSettings
    let inbox: Inbox
    let eventLoop: any EventLoop

    var reconnection: Reconnection
    /// The connection that stands or is being made.
    var connection: ConnectionHandler?
    /// Where the last connection led that ended.
    var lastPlace: RedisEndpoint?
    /// When the attempt to connect is given up.
    var dialEnds: NIODeadline?
    /// Calls that no connection has taken yet.
    var waiting = CircularBuffer<Attempt>()
    var spare: [Attempt] = []
    /// Puts decisions together.
    var packer = Packer()
    /// When the next of those that are together is given up.
    var packsExpireAt: NIODeadline?
    var timer: (at: NIODeadline, task: Scheduled<Void>)?
    var stopping: (limit: NIODeadline, done: EventLoopPromise<Void>)?
    /// When to try whether the node serves again.
    var probesAt: NIODeadline?

    init(number: Int, settings: LaneSettings, inbox: Inbox, eventLoop: any EventLoop) {
        self.number = number
        self.settings = settings
        self.inbox = inbox
        self.eventLoop = eventLoop
        reconnection = Reconnection(isLeader: number == 0, backoff: settings.configuration.backoff)
    }

    var isLeader: Bool { number == 0 }
    var othersUp: Bool { node?.isUp(besides: number) ?? false }
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
    func pump() {
        guard !waiting.isEmpty else { return }
        switch reconnection.phase {
        case .up:
            sendWaiting()
        case .idle where stopping == nil, .dialing where isLeader && !othersUp:
            break
        case .biding where isLeader && !othersUp:
            perform(reconnection.demanded(at: eventLoop.now, random: settings.random()))
            rearm()
        case .resting where isLeader && !othersUp:
            break
        case .refusing(_, let error) where isLeader && !othersUp:
            refuseWaiting(error)
        case .dialing, .biding, .resting, .refusing:
            reroute()
        case .idle, .stopped:
            refuseWaiting(LaneCore.closed)
        }
    }

    func sendWaiting() {
        guard let connection else { return }
        if connection.takesCalls {
            // What the channel has no room for waits here, where it can still expire unsent.
            if connection.isWritable, !isHoldingBack { connection.send(packed(takeWaiting())) }
        } else if !isLeader || othersUp {
            reroute()
        }
    }

    /// Taken as a whole: sending may come back here.
    func takeWaiting() -> CircularBuffer<Attempt> {
        let attempts = waiting
        waiting = CircularBuffer()
        return attempts
    }

    /// Gives the waiting calls to a lane that is up, or to the leader.
    func reroute() {
        guard let node else { return refuseWaiting(LaneCore.closed) }
        for attempt in takeWaiting() { node.submit(attempt) }
    }

    func refuseWaiting(_ error: LimiterError) {
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

    func perform(_ action: Reconnection.Action) {
        switch action {
        case .none: break
        case .dial: dial()
        }
    }

    func dial() {
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
        settings.health.connected()
        settings.telemetry.connected(lane: number)
        if settings.health.refusal != nil { node?.probe() }
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
        lastPlace = handler.endpoint
        dialEnds = nil
        inbox.isUp = false
        if stopping != nil { return finishStopping() }
        settings.telemetry.disconnected(lane: number, error)
        nodeFailed(error)
        let action = reconnection.ended(error, hadServed: hadServed, at: eventLoop.now, othersUp: othersUp, random: settings.random())
        if isLeader, case .refusing(_, let error) = reconnection.phase { inbox.refuse(error) }
        if othersUp { reroute() }
        perform(action)
        pump()
        rearm()
    }
}
