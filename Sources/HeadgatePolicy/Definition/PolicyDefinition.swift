public import Headgate

/// What a policy says, before it is known to be sound: ``Policy/init(_:)`` checks it as a whole.
public struct PolicyDefinition: Sendable, Hashable {
    /// The policy's name, for people, logs and metrics.
    public var name: String

    /// The path under which the API is served; it is stripped before matching.
    public var basePath: String

    /// Whether `/A` and `/a` are different paths.
    public var caseSensitive: Bool

    /// How limits count that do not say it themselves.
    public var algorithm: Algorithm.Name

    /// What limits do without Redis that do not say it themselves.
    public var onRedisFailure: FailurePolicy

    /// How answers look.
    public var responses: ResponseOptions

    /// The operation classes; a request has the first that matches.
    public var classes: [ClassRule]

    /// The plans.
    public var tiers: [TierRule]

    /// The tier, or the alias of one, of subjects that bring none; `nil` when they have to bring one.
    public var defaultTier: String?

    /// Limits of endpoints, on top of the classes'; the most specific that matches counts.
    public var endpoints: [EndpointRule]

    /// Limits on top of classes and endpoints; every one that matches counts.
    public var limits: [LimitRule]

    /// The response statuses for which a request gets its units back, as far as the limits allow it.
    public var refundOn: [StatusPattern]

    /// What the permissions of API keys change.
    public var permissions: [PermissionRule]

    /// The priorities that requests may name; `normal` exists in any case.
    public var priorities: [PriorityRule]

    /// What boosts customers may give themselves; `nil` for none.
    public var boosts: BoostRules?

    /// When an account's use of a limit is an event.
    public var events: EventRules

    /// Creates a definition.
    public init(
        name: String,
        basePath: String = "/",
        caseSensitive: Bool = true,
        algorithm: Algorithm.Name = .slidingWindowLog,
        onRedisFailure: FailurePolicy = .open,
        responses: ResponseOptions = ResponseOptions(),
        classes: [ClassRule] = [],
        tiers: [TierRule] = [],
        defaultTier: String? = nil,
        endpoints: [EndpointRule] = [],
        limits: [LimitRule] = [],
        refundOn: [StatusPattern] = [],
        permissions: [PermissionRule] = [],
        priorities: [PriorityRule] = [],
        boosts: BoostRules? = nil,
        events: EventRules = EventRules()
    ) {
        self.name = name
        self.basePath = basePath
        self.caseSensitive = caseSensitive
        self.algorithm = algorithm
        self.onRedisFailure = onRedisFailure
        self.responses = responses
        self.classes = classes
        self.tiers = tiers
        self.defaultTier = defaultTier
        self.endpoints = endpoints
        self.limits = limits
        self.refundOn = refundOn
        self.permissions = permissions
        self.priorities = priorities
        self.boosts = boosts
        self.events = events
    }
}
