public import Headgate

/// The rules of one API: which limits apply to which requests of whom.
///
/// A policy is checked as a whole when it is made, and compiled so that finding a request's limits takes a few dictionary
/// look-ups, however many rules there are.
public struct Policy: RuleSet {
    /// What the policy says.
    public let definition: PolicyDefinition

    /// In canonical form; empty for none.
    let basePath: String
    let matcher: RouteMatcher
    let tiers: [CompiledTier]
    let tierIndex: [String: Int]
    let defaultTier: Int?
    let maker: LimitMaker
    let priorities: [String: PriorityRule]
    /// What counts for requests without a priority.
    let normalPriority: PriorityRule
    /// Units that a request for an endpoint takes, in the endpoint rules' order.
    let costs: [Int64]

    /// A tier with its limits for subjects without overrides and permissions.
    struct CompiledTier: Sendable {
        let rule: TierRule
        /// In the classes' order.
        var classes: [PreparedLimit] = []
        /// In the endpoint rules' order.
        var endpoints: [PreparedLimit?] = []
        /// In the additional rules' order; those of permissions are absent, as nobody has them without.
        var additional: [PreparedLimit?] = []
        var concurrency: PreparedLimit?

        subscript(rule: Rule) -> PreparedLimit? {
            switch rule {
            case .operationClass(let index): classes[index]
            case .endpoint(let index): endpoints[index]
            case .additional(let index): additional[index]
            case .concurrency: concurrency
            }
        }
    }

    /// Checks and compiles a policy.
    ///
    /// - Throws: ``InvalidPolicy`` with everything that is wrong.
    public init(_ definition: PolicyDefinition) throws(InvalidPolicy) {
        var compiler = PolicyCompiler(definition)
        self = try compiler.compile()
    }

    init(
        definition: PolicyDefinition,
        basePath: String,
        matcher: RouteMatcher,
        maker: LimitMaker,
        tiers: [CompiledTier],
        defaultTier: Int?
    ) {
        self.definition = definition
        self.basePath = basePath
        self.matcher = matcher
        self.maker = maker
        self.tiers = tiers
        self.defaultTier = defaultTier
        // Names were checked to be unique; a repeated one is harmless here.
        tierIndex = Dictionary(
            tiers.enumerated().flatMap { index, tier in ([tier.rule.name] + tier.rule.aliases).map { ($0, index) } },
            uniquingKeysWith: { first, _ in first }
        )
        priorities = Dictionary(definition.priorities.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        normalPriority = priorities[Priority.normal.name] ?? PriorityRule(Priority.normal.name)
        costs = definition.endpoints.map { $0.cost?.fallback ?? 1 }
    }

    /// The policy's name.
    public var name: String { definition.name }

    /// How answers look.
    public var responses: ResponseOptions { definition.responses }
}

extension Policy {
    /// The tier of this name or alias, or the default tier.
    func tier(named name: String?) throws(LimiterError) -> CompiledTier { tiers[try position(ofTier: name)] }

    /// The position of that tier.
    func position(ofTier name: String?) throws(LimiterError) -> Int {
        if let name {
            if let index = tierIndex[name] { return index }
            let hint = Suggestion.hint(for: name, among: tierIndex.keys.sorted())
            throw LimiterError(.unknownTier, "unknown tier '\(name)'\(hint); expected one of \(knownTiers)")
        }
        guard let defaultTier else {
            throw LimiterError(.unknownTier, "a tier is required: the policy has no default tier; expected one of \(knownTiers)")
        }
        return defaultTier
    }

    private var knownTiers: String { Suggestion.list(tiers.map(\.rule.name)) }

    /// The priority that counts: what was asked for, or `normal` when it is unknown or not permitted.
    func priority(_ priority: Priority, of subject: Subject) -> (rule: PriorityRule, refusal: Explanation.PriorityRefusal?) {
        guard priority != .normal else { return (normalPriority, nil) }
        guard let rule = priorities[priority.name] else { return (normalPriority, .unknown) }
        if let permission = rule.requires, !subject.permissions.contains(permission) {
            return (normalPriority, .permissionMissing(permission))
        }
        return (rule, nil)
    }
}
