public import Headgate

/// What a permission of an API key changes.
public struct PermissionRule: Sendable, Hashable {
    /// The permission's name.
    public var name: String

    /// Rates in place of the account's, by class id.
    public var limits: [String: Rate]

    /// Rates in place of the endpoint rules' own, by limit id.
    public var endpoints: [String: Rate]

    /// What class and endpoint limits are multiplied with.
    public var multiplier: Multiplier

    /// Limits that its keys have on top of all others.
    public var additions: [LimitRule]

    /// Creates a permission.
    public init(
        _ name: String,
        limits: [String: Rate] = [:],
        endpoints: [String: Rate] = [:],
        multiplier: Multiplier = 1,
        additions: [LimitRule] = []
    ) {
        self.name = name
        self.limits = limits
        self.endpoints = endpoints
        self.multiplier = multiplier
        self.additions = additions
    }
}

/// A priority that requests may name.
public struct PriorityRule: Sendable, Hashable {
    /// The priority's name, as in `X-Priority`.
    public var name: String

    /// The share of each limit that requests of this priority may not touch.
    public var reserve: Percentage

    /// The permission that it takes; requests of others count as `normal`.
    public var requires: String?

    /// Creates a priority.
    public init(_ name: String, reserve: Percentage = 0, requires: String? = nil) {
        self.name = name
        self.reserve = reserve
        self.requires = requires
    }
}
