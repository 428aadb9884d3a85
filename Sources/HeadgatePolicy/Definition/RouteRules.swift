/// An operation class: a set of requests that share a limit.
public struct ClassRule: Sendable, Hashable {
    /// The class's key, which is its limit's id.
    public var id: String

    /// The name that customers know it by.
    public var name: String

    /// The requests that belong to it, unless an earlier class has them.
    public var match: [RoutePattern]

    /// Creates a class; without a name of its own it is known by its id.
    public init(_ id: String, name: String? = nil, match: [RoutePattern]) {
        self.id = id
        self.name = name ?? id
        self.match = match
    }
}

/// A limit for an endpoint, on top of its class's, or what its requests cost.
public struct EndpointRule: Sendable, Hashable {
    /// The limit's id.
    public var id: String

    /// The name that customers know it by.
    public var name: String

    /// The requests that it applies to, unless a more specific rule does.
    public var match: RoutePattern

    /// The limit before the tier's endpoint multiplier; `nil` when the rule only says what requests cost.
    public var limit: Rate?

    /// Whose requests are counted together.
    public var scope: LimitRule.Scope

    /// How many units requests take, of all of their limits; `nil` when the rule does not say it: 1.
    public var cost: CostRule?

    /// The response statuses for which a request gets its units back; `nil` is as the policy says.
    public var refundOn: [StatusPattern]?

    /// Creates an endpoint rule.
    ///
    /// Without an id it takes method and path, `POST/endpoints/*/execute` or `*/ai/**`; without a name, the pattern.
    public init(
        match: RoutePattern,
        limit: Rate?,
        id: String? = nil,
        name: String? = nil,
        scope: LimitRule.Scope = .account,
        cost: CostRule? = nil,
        refundOn: [StatusPattern]? = nil
    ) {
        self.match = match
        self.limit = limit
        self.scope = scope
        self.cost = cost
        self.refundOn = refundOn
        self.id = id ?? match.limitID
        self.name = name ?? match.description
    }
}
