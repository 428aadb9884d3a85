import Foundation
import Headgate
import HeadgateRedis

/// What a worker does: whom it charges by what limits, how often, and for how long.
struct Plan: Decodable, Sendable {
    /// Decides which subject, limit and cost each decision has.
    var seed: UInt64 = 1
    /// Concurrent callers.
    var tasks = 8
    /// Decisions a second of all tasks together, at most 500; 0 waits for lines on standard input.
    var rate = 0
    /// How long; 0 until told to stop.
    var seconds = 0.0
    /// The subjects.
    var keys: [String] = []
    var limits: [LimitPlan] = []
    var costs: [Int64] = [1]
    /// Whether each decision is on all limits at once, or on one of them.
    var together = false
    /// How long a slot is held, in milliseconds: at least and at most.
    var hold = [1, 20]

    var deadline = 50
    /// How many denials are remembered.
    var rememberedDenials = 0
    var connections: Int?
    var connectTimeout: Int?
    var stallTimeout: Int?
    var backoff: [Int]?
    var waiting: Int?

    enum CodingKeys: String, CodingKey {
        case seed, tasks, rate, seconds, keys, limits, costs, together, hold
        case deadline, rememberedDenials = "remembered_denials", connections, connectTimeout, stallTimeout, backoff, waiting
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        seed = try fields.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
        tasks = try fields.decodeIfPresent(Int.self, forKey: .tasks) ?? tasks
        rate = min(500, try fields.decodeIfPresent(Int.self, forKey: .rate) ?? rate)
        seconds = try fields.decodeIfPresent(Double.self, forKey: .seconds) ?? seconds
        keys = try fields.decodeIfPresent([String].self, forKey: .keys) ?? keys
        limits = try fields.decodeIfPresent([LimitPlan].self, forKey: .limits) ?? limits
        costs = try fields.decodeIfPresent([Int64].self, forKey: .costs) ?? costs
        together = try fields.decodeIfPresent(Bool.self, forKey: .together) ?? together
        hold = try fields.decodeIfPresent([Int].self, forKey: .hold) ?? hold
        deadline = try fields.decodeIfPresent(Int.self, forKey: .deadline) ?? deadline
        rememberedDenials = try fields.decodeIfPresent(Int.self, forKey: .rememberedDenials) ?? rememberedDenials
        connections = try fields.decodeIfPresent(Int.self, forKey: .connections)
        connectTimeout = try fields.decodeIfPresent(Int.self, forKey: .connectTimeout)
        stallTimeout = try fields.decodeIfPresent(Int.self, forKey: .stallTimeout)
        backoff = try fields.decodeIfPresent([Int].self, forKey: .backoff)
        waiting = try fields.decodeIfPresent(Int.self, forKey: .waiting)
    }
}

/// One limit of a plan; times are microseconds.
struct LimitPlan: Decodable, Sendable {
    var id: String
    var algorithm: Algorithm.Name
    var units: Int64
    /// The window, or the time to live of a lease.
    var window: Int64
    var burst: Int64?
    var onRedisFailure: String?
    /// A name under which all subjects share the limit; in a cluster it has a slot of its own.
    var shared: String?
}

extension LimitPlan {
    /// The limit.
    func limit() throws -> Limit {
        let window = Duration.microseconds(window)
        let algorithm: Algorithm =
            switch algorithm {
            case .slidingWindowLog: try .slidingWindowLog(units, per: window)
            case .tokenBucket: try .tokenBucket(units, per: window, burst: burst ?? units)
            case .fixedWindow: try .fixedWindow(units, per: window)
            case .slidingWindowCounter: try .slidingWindowCounter(units, per: window)
            case .concurrency: try .concurrency(units, timeToLive: window)
            }
        guard let policy = FailurePolicy(rawValue: onRedisFailure ?? "open") else {
            throw LimiterError(.invalidLimit, "no failure policy of that name")
        }
        return try Limit(id, algorithm, onRedisFailure: policy)
    }
}

extension Plan {
    /// How the store is configured: the URL, and what the plan says beside it.
    func configuration(url: String) throws -> RedisConfiguration {
        var configuration = try RedisConfiguration(url: url)
        configuration.deadline = .milliseconds(deadline)
        // A remembered denial has no time of Redis' own, which the checkers go by.
        configuration.rememberedDenials = rememberedDenials
        if let connections { configuration.connections = connections }
        if let connectTimeout { configuration.connectTimeout = .milliseconds(connectTimeout) }
        if let stallTimeout { configuration.stallTimeout = .milliseconds(stallTimeout) }
        if let backoff { configuration.backoff = .init(base: .milliseconds(backoff[0]), cap: .milliseconds(backoff[1])) }
        if let waiting { configuration.bounds.decisions = waiting }
        return configuration
    }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64, salt: some Sequence<UInt8>) {
        state = salt.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
