/// Where counts live.
///
/// Every function either takes effect as a whole or throws. An error says whether the call may have been charged; a store
/// never sends a call twice unless the first certainly did not run.
public protocol LimitStore: Sendable {
    /// How many live instances share this store's counts, this one included; the last known number while the store is away.
    ///
    /// Limits with ``FailurePolicy/local`` are divided by it. A store that is not told how many there are is its only user.
    var instances: Int { get }

    /// Judges independent decisions in order, each atomically: all limits of one are charged, or none.
    ///
    /// - Throws: ``LimiterError`` when there is no verdict for any of them.
    func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply

    /// Judges one decision.
    ///
    /// - Throws: ``LimiterError`` when there is no verdict.
    func decide(_ decision: StoreDecision) async throws(LimiterError) -> (time: StoreTime, verdict: Verdict)

    /// What the store would answer to a decision, where it knows that without being asked: a denial that it remembers.
    ///
    /// `nil` when the store has to be asked.
    func known(_ decision: StoreDecision) -> (time: StoreTime, verdict: Verdict)?

    /// Takes charges back, as far as that admits nothing that the limits would not.
    ///
    /// - Returns: The units that came back, one number for each receipt.
    /// - Throws: ``LimiterError`` when nothing is known to have come back.
    func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64]

    /// Counts a lease's time to live anew in all of its slots, or in none when one is lost.
    ///
    /// - Throws: ``LimiterError/Code/leaseLost`` when it has ended; another code when that is not known.
    func renew(_ lease: Lease) async throws(LimiterError)

    /// Frees a lease's slots.
    ///
    /// - Returns: Whether the lease was still held.
    /// - Throws: ``LimiterError`` when that is not known; the lease then ends by its time to live.
    func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd

    /// Frees a lease's slots soon, without waiting and without saying how it went.
    ///
    /// For holders that are going away; a lease that cannot be freed ends by its time to live.
    func abandon(_ lease: Lease)

    /// Forgets a subject's counts of these limits.
    ///
    /// - Throws: ``LimiterError`` when they may still stand.
    func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError)
}

extension LimitStore {
    /// One instance: this one.
    public var instances: Int { 1 }

    /// Judges one decision, as a list of one.
    public func decide(_ decision: StoreDecision) async throws(LimiterError) -> (time: StoreTime, verdict: Verdict) {
        let reply = try await decide([decision])
        guard reply.verdicts.count == 1 else {
            throw LimiterError(.wireProtocol, "the store gave \(reply.verdicts.count) verdicts for 1", charge: .unknown)
        }
        return (reply.time, reply.verdicts[0])
    }

    /// Nothing is known.
    public func known(_ decision: StoreDecision) -> (time: StoreTime, verdict: Verdict)? { nil }
}

/// How a release went.
public enum LeaseEnd: Sendable, Hashable {
    /// The lease was held and its slots are free now.
    case released
    /// The lease had ended before; nothing was freed.
    case notHeld
}

/// One limit to be judged for one identity.
public struct Charge: Sendable, Hashable {
    /// The limit.
    public var limit: Limit
    /// Whose count.
    public var identity: Identity
    /// Units that the request takes.
    public var cost: Int64
    /// Units that the request's priority may not touch.
    public var reserve: Int64
    /// Whether the request takes the units or only looks.
    public var effect: Effect

    /// Whether no count would ever allow it: it asks for more than its limit leaves to it.
    package var isImpossible: Bool {
        let least: Int64 = if case .concurrency = limit.algorithm { 1 } else { cost }
        return least > limit.algorithm.capacity - reserve
    }

    /// Whether a request takes what it asks for.
    public enum Effect: Sendable, Hashable {
        /// It is charged when all limits allow.
        case take
        /// It is judged, and leaves no trace.
        case observe
    }

    /// Creates a charge.
    public init(_ limit: Limit, identity: Identity, cost: Int64 = 1, reserve: Int64 = 0, effect: Effect = .take) {
        self.limit = limit
        self.identity = identity
        self.cost = cost
        self.reserve = reserve
        self.effect = effect
    }
}

/// A number of equal requests to be judged together, in one atomic step.
public struct StoreDecision: Sendable, Hashable {
    /// The limits that all have to allow; no two of the same identity, id and algorithm.
    public var charges: [Charge]
    /// How many equal requests; as many as fit are granted.
    public var count: Int64
    /// The id of the lease that concurrency limits are to take; unused without one.
    public var leaseID: String

    /// Creates a decision.
    public init(charges: [Charge], count: Int64 = 1, leaseID: String = "") {
        self.charges = charges
        self.count = count
        self.leaseID = leaseID
    }
}

extension StoreDecision {
    /// Refuses numbers that the script would refuse.
    package func check() throws(LimiterError) {
        let exact = 1..<Arithmetic.largestExact
        guard exact.contains(count) else { throw LimiterError(.badRequest, "a decision's count is \(count); expected 1 or more") }
        for charge in charges where !exact.contains(charge.cost) || !(0..<Arithmetic.largestExact).contains(charge.reserve) {
            throw LimiterError(
                .badRequest,
                "a charge has a cost of \(charge.cost) and a reserve of \(charge.reserve); expected a cost of 1 or more, and a reserve of 0 or more"
            )
        }
    }
}

/// What a store says of some decisions.
public struct StoreReply: Sendable, Hashable {
    /// The store's time at which they were judged.
    public var time: StoreTime
    /// One verdict for each decision, in order.
    public var verdicts: [Verdict]

    /// Creates a reply.
    public init(time: StoreTime, verdicts: [Verdict]) {
        self.time = time
        self.verdicts = verdicts
    }
}

/// What a store says of one decision.
public struct Verdict: Sendable, Hashable {
    /// How many of the equal requests were granted.
    public var granted: Int64
    /// One reading for each charge, in order.
    public var readings: [Reading]

    /// Creates a verdict.
    public init(granted: Int64, readings: [Reading]) {
        self.granted = granted
        self.readings = readings
    }
}

/// What a store says of one limit, after the decision.
///
/// Times are microseconds from the reply's time.
public struct Reading: Sendable, Hashable {
    /// How many of the equal requests this limit by itself would have allowed, at most as many as were asked for.
    public var fit: Int64
    /// Units left, before any reserve.
    public var remaining: Int64
    /// Until one more such request fits; 0 now, -1 never.
    public var retryAfter: Int64
    /// Until one more unit is available; 0 when nothing is used.
    public var nextUnit: Int64
    /// Until everything is available.
    public var full: Int64
    /// The instant under which the charge was entered; a refund needs it.
    public var stamp: Int64
    /// Whether the limit was looked at; one that need not be is not when another limit is known to deny.
    public var isJudged = true

    /// The reading of a limit that was not looked at.
    public static let unjudged = {
        var reading = Reading(fit: 0, remaining: 0, retryAfter: 0, nextUnit: 0, full: 0, stamp: 0)
        reading.isJudged = false
        return reading
    }()

    /// Creates a reading.
    public init(fit: Int64, remaining: Int64, retryAfter: Int64, nextUnit: Int64, full: Int64, stamp: Int64) {
        self.fit = fit
        self.remaining = remaining
        self.retryAfter = retryAfter
        self.nextUnit = nextUnit
        self.full = full
        self.stamp = stamp
    }
}

/// One charge that was made: what a refund takes back.
public struct Receipt: Sendable, Hashable {
    /// The limit that was charged.
    public var limit: Limit
    /// Whose count.
    public var identity: Identity
    /// Units that were taken.
    public var units: Int64
    /// The instant under which they were entered.
    public var stamp: Int64

    /// Creates a receipt.
    public init(limit: Limit, identity: Identity, units: Int64, stamp: Int64) {
        self.limit = limit
        self.identity = identity
        self.units = units
        self.stamp = stamp
    }
}
