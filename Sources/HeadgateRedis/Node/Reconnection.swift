internal import Headgate
internal import NIOCore

/// When a lane dials: the logic of connecting anew, without I/O, clock or chance of its own.
///
/// The first lane of a node, the leader, dials whenever no lane is up, so a dead server sees one dial at a time; the others
/// follow, spread over the back-off's cap, while some lane is up. That keeps a restarted server from a storm of connections.
struct Reconnection {
    /// What the lane is doing.
    enum Phase {
        /// `run()` has not begun.
        case idle
        /// An attempt is under way.
        case dialing
        /// The connection stands.
        case up(since: NIODeadline)
        /// Waiting to dial; a call would make the leader dial at once.
        case resting(until: NIODeadline)
        /// Waiting to dial after a failure; calls are refused with it.
        case refusing(until: NIODeadline, LimiterError)
        /// `run()` has ended.
        case stopped
    }

    /// What to do now.
    enum Action: Sendable, Hashable {
        case none, dial
    }

    /// What the lane is doing.
    private(set) var phase = Phase.idle
    /// Attempts in a row that led to no lasting connection.
    private(set) var failures = 0

    private let isLeader: Bool
    private let backoff: RedisConfiguration.Backoff

    init(isLeader: Bool, backoff: RedisConfiguration.Backoff) {
        self.isLeader = isLeader
        self.backoff = backoff
    }

    /// A connection that lived so long, and served, was a good one: the next attempt after it may be made at once.
    private var goodLife: TimeAmount { TimeAmount(backoff.cap) }

    /// When `tick` is due.
    var wakesAt: NIODeadline? {
        switch phase {
        case .resting(let until), .refusing(let until, _): until
        case .idle, .dialing, .up, .stopped: nil
        }
    }

    /// Begins.
    mutating func start(at now: NIODeadline, random: Double) -> Action {
        switch phase {
        case .idle:
            guard isLeader else { return rest(at: now, random: random) }
            phase = .dialing
            return .dial
        case .dialing, .up, .resting, .refusing, .stopped:
            return .none
        }
    }

    /// Ends for good.
    mutating func stop() { phase = .stopped }

    /// The connection stands and has been greeted.
    mutating func connected(at now: NIODeadline) {
        switch phase {
        case .dialing: phase = .up(since: now)
        case .idle, .up, .resting, .refusing, .stopped: break
        }
    }

    /// A call waits for this lane while no lane is up.
    ///
    /// After failures it waits for the back-off like everybody.
    mutating func demanded() -> Action {
        switch phase {
        case .resting where isLeader && failures == 0:
            phase = .dialing
            return .dial
        case .idle, .dialing, .up, .resting, .refusing, .stopped:
            return .none
        }
    }

    /// Time has passed.
    mutating func tick(at now: NIODeadline, othersUp: Bool, random: Double) -> Action {
        switch phase {
        case .resting(let until), .refusing(let until, _):
            guard until <= now else { return .none }
            guard isLeader || othersUp else { return rest(at: now, random: random) }
            phase = .dialing
            return .dial
        case .idle, .dialing, .up, .stopped:
            return .none
        }
    }

    /// An attempt failed, or a connection ended.
    mutating func ended(_ error: LimiterError, hadServed: Bool, at now: NIODeadline, othersUp: Bool, random: Double) -> Action {
        switch phase {
        case .up(let since) where error.code == .connect || error.code == .desynchronised || error.code == .wireProtocol || hadServed:
            return lost(upSince: since, at: now, othersUp: othersUp, random: random)
        case .up, .dialing:
            failures += 1
            // A refused password is tried once a back-off's cap: more would lock accounts and fill the server's log.
            let wait = error.code == .authentication ? TimeAmount(backoff.cap) : backoff.wait(afterFailures: failures, random: random)
            // The calls that will be refused were never sent, whatever became of those that were.
            phase = .refusing(until: now + wait, error.with(.notCharged))
            return .none
        case .idle, .resting, .refusing, .stopped:
            return .none
        }
    }

    /// A connection that stood is lost.
    private mutating func lost(upSince since: NIODeadline, at now: NIODeadline, othersUp: Bool, random: Double) -> Action {
        failures = now - since >= goodLife ? 0 : failures + 1
        guard !othersUp else { return rest(at: now, random: random) }
        guard failures > 0 else {
            guard isLeader else { return rest(at: now, random: random) }
            phase = .dialing
            return .dial
        }
        phase = .resting(until: now + backoff.wait(afterFailures: failures, random: random))
        return .none
    }

    private mutating func rest(at now: NIODeadline, random: Double) -> Action {
        phase = .resting(until: now + .nanoseconds(Int64(Double(TimeAmount(backoff.cap).nanoseconds) * random)))
        return .none
    }
}
