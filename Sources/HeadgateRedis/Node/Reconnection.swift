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
        /// Waiting to dial, without hurry: another lane is up, or was.
        case biding(until: NIODeadline)
        /// Waiting to dial soon; calls wait, too.
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
        case .biding(let until), .resting(let until), .refusing(let until, _): until
        case .idle, .dialing, .up, .stopped: nil
        }
    }

    /// Begins.
    mutating func start(at now: NIODeadline, random: Double) -> Action {
        switch phase {
        case .idle:
            guard isLeader else { return bide(at: now, random: random) }
            phase = .dialing
            return .dial
        case .dialing, .up, .biding, .resting, .refusing, .stopped:
            return .none
        }
    }

    /// Ends for good.
    mutating func stop() { phase = .stopped }

    /// The connection stands and has been greeted.
    mutating func connected(at now: NIODeadline) {
        switch phase {
        case .dialing: phase = .up(since: now)
        case .idle, .up, .biding, .resting, .refusing, .stopped: break
        }
    }

    /// A call waits for this lane while no lane is up: the leader no longer bides its time.
    mutating func demanded(at now: NIODeadline, random: Double) -> Action {
        switch phase {
        case .biding where isLeader && failures == 0:
            phase = .dialing
            return .dial
        case .biding(let until) where isLeader:
            phase = .resting(until: min(until, now + backoff.wait(afterFailures: failures, random: random)))
            return .none
        case .idle, .dialing, .up, .biding, .resting, .refusing, .stopped:
            return .none
        }
    }

    /// The server is at another place now: the leader dials there at once, whatever failed where it was.
    mutating func moved() -> Action {
        switch phase {
        case .resting where isLeader, .refusing where isLeader:
            failures = 0
            phase = .dialing
            return .dial
        case .idle, .dialing, .up, .biding, .resting, .refusing, .stopped:
            return .none
        }
    }

    /// Time has passed.
    mutating func tick(at now: NIODeadline, othersUp: Bool, random: Double) -> Action {
        switch phase {
        case .biding(let until), .resting(let until), .refusing(let until, _):
            guard until <= now else { return .none }
            guard isLeader || othersUp else { return bide(at: now, random: random) }
            phase = .dialing
            return .dial
        case .idle, .dialing, .up, .stopped:
            return .none
        }
    }

    /// An attempt failed, or a connection ended.
    mutating func ended(_ error: LimiterError, hadServed: Bool, at now: NIODeadline, othersUp: Bool, random: Double) -> Action {
        switch phase {
        case .up(let since) where hadServed || [.connect, .desynchronised, .wireProtocol].contains(error.code):
            return lost(error, upSince: since, at: now, othersUp: othersUp, random: random)
        case .up, .dialing:
            failures += 1
            // A refused password or certificate is tried once a back-off's cap: more would lock accounts and fill the server's log.
            return refuse(error, at: now, random: error.code == .authentication || error.code == .tls ? nil : random)
        case .idle, .biding, .resting, .refusing, .stopped:
            return .none
        }
    }

    /// A connection that stood is lost.
    private mutating func lost(
        _ error: LimiterError,
        upSince since: NIODeadline,
        at now: NIODeadline,
        othersUp: Bool,
        random: Double
    ) -> Action {
        failures = now - since >= goodLife ? 0 : failures + 1
        switch failures {
        case _ where othersUp || !isLeader:
            return bide(at: now, random: random)
        case 0:
            phase = .dialing
            return .dial
        case 1:
            // It may have been chance: calls wait for the next attempt, which is near.
            phase = .resting(until: now + backoff.wait(afterFailures: failures, random: random))
            return .none
        default:
            return refuse(error, at: now, random: random)
        }
    }

    /// Refuses calls until the next attempt; without a random number that is the back-off's cap away.
    private mutating func refuse(_ error: LimiterError, at now: NIODeadline, random: Double?) -> Action {
        let wait = random.map { backoff.wait(afterFailures: failures, random: $0) } ?? TimeAmount(backoff.cap)
        // Calls that are refused were never sent, whatever became of those that were.
        phase = .refusing(until: now + wait, error.with(.notCharged))
        return .none
    }

    private mutating func bide(at now: NIODeadline, random: Double) -> Action {
        phase = .biding(until: now + .nanoseconds(Int64(Double(TimeAmount(backoff.cap).nanoseconds) * random)))
        return .none
    }
}
