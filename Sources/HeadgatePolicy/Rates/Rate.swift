public import Headgate

/// How much a rule gives: a quota, everything, or what the account brings.
public enum Rate: Sendable, Hashable {
    /// So many units per window.
    case limited(Quota)
    /// No limit.
    case unlimited
    /// The account brings its own limit.
    case custom

    /// This many units per window, counted as the policy says.
    public static func units(_ units: Int64, per window: Duration) -> Rate { .limited(Quota(units: units, per: window)) }

    /// Nothing at all.
    public static let nothing = Rate.limited(Quota(units: 0, per: nil))
}

/// Units per window, with what the rule says of the way of counting; the rest is the policy's.
public struct Quota: Sendable, Hashable {
    /// How many units.
    public var units: Int64

    /// Per what time; `nil` only for 0 units, which takes the window of the limit that it replaces.
    public var window: Duration?

    /// How they are counted; `nil` is as the limit that it replaces, or as the policy says.
    public var algorithm: Algorithm.Name?

    /// The size of a token bucket; `nil` is as many as the units.
    public var burst: Int64?

    /// The length of a log's slots; `nil` is the log's own default.
    public var resolution: Duration?

    /// What happens without Redis; `nil` is as the limit that it replaces, or as the policy says.
    public var onRedisFailure: FailurePolicy?

    /// Whether it can deny.
    public var mode: Limit.Mode

    /// Creates a quota.
    public init(
        units: Int64,
        per window: Duration?,
        algorithm: Algorithm.Name? = nil,
        burst: Int64? = nil,
        resolution: Duration? = nil,
        onRedisFailure: FailurePolicy? = nil,
        mode: Limit.Mode = .enforced
    ) {
        self.units = units
        self.window = window
        self.algorithm = algorithm
        self.burst = burst
        self.resolution = resolution
        self.onRedisFailure = onRedisFailure
        self.mode = mode
    }
}
