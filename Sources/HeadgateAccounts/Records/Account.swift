public import Headgate

/// A customer: a plan, and what the customer has in place of it or on top of it.
public struct Account: Sendable, Hashable {
    /// The account's name, as the provider gave it.
    public let id: String

    /// The plan; `nil` takes the policy's default tier.
    public var tier: String?

    /// When it was created, by Redis' clock.
    public var created: StoreTime

    /// The account's own limits in place of its tier's, by limit id; those that have ended, too.
    public var overrides: [String: AccountOverride]

    /// Temporary multipliers, in the order of their beginning; those that have ended, too.
    public var boosts: [Boost]

    /// How many boosts its keys have taken, by calendar month (`2026-11`).
    public var boostsTaken: [String: Int64]

    /// The request for more that waits for an answer.
    public var openIncrease: String?

    /// How often it was changed.
    package var revision: Int64

    /// Creates an account.
    public init(_ id: String, tier: String? = nil, created: StoreTime, overrides: [String: AccountOverride] = [:]) {
        self.id = id
        self.tier = tier
        self.created = created
        self.overrides = overrides
        boosts = []
        boostsTaken = [:]
        revision = 0
    }

    /// The boost that counts at an instant: the largest of those that run; the others wait for its end.
    public func boost(at time: StoreTime) -> Boost? {
        boosts.filter { $0.runs(at: time) }.max { $0.multiplier < $1.multiplier }
    }

    /// The overrides that hold at an instant.
    public func overrides(at time: StoreTime) -> [String: LimitOverride] {
        overrides.filter { $0.value.holds(at: time) }.mapValues(\.limit)
    }

    /// The account as the limiter sees it.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when the id is no identity.
    public func subject(
        at time: StoreTime,
        permissions: Set<String> = [],
        key: String? = nil,
        address: Identity? = nil
    ) throws(LimiterError) -> Subject {
        Subject(
            try Identity(.account, id),
            tier: tier,
            permissions: permissions,
            overrides: overrides(at: time),
            boost: boost(at: time)?.multiplier ?? 1,
            key: key,
            address: address
        )
    }
}

/// An account's own limit, with why and until when.
public struct AccountOverride: Sendable, Hashable {
    /// The limit.
    public var limit: LimitOverride
    /// The instant from which the tier's limit holds again; `nil` is never.
    public var until: StoreTime?
    /// Why.
    public var reason: String
    /// By whom.
    public var grantedBy: String

    /// Creates an override.
    public init(_ limit: LimitOverride, until: StoreTime? = nil, reason: String = "", grantedBy: String = "") {
        self.limit = limit
        self.until = until
        self.reason = reason
        self.grantedBy = grantedBy
    }

    /// Whether it holds at an instant.
    public func holds(at time: StoreTime) -> Bool { until.map { time < $0 } ?? true }
}

/// A temporary multiplier on an account's class and endpoint limits.
public struct Boost: Sendable, Hashable {
    /// The boost's name: random, and unique.
    public let id: String
    /// What limits are multiplied with.
    public var multiplier: Multiplier
    /// When it began, by Redis' clock.
    public var from: StoreTime
    /// The instant at which it ends.
    public var until: StoreTime
    /// Why.
    public var reason: String
    /// By whom.
    public var grantedBy: String

    /// Creates a boost.
    public init(_ id: String, multiplier: Multiplier, from: StoreTime, until: StoreTime, reason: String, grantedBy: String) {
        self.id = id
        self.multiplier = multiplier
        self.from = from
        self.until = until
        self.reason = reason
        self.grantedBy = grantedBy
    }

    /// Whether it runs at an instant.
    public func runs(at time: StoreTime) -> Bool { from <= time && time < until }
}
