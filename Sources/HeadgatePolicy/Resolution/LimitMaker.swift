internal import Headgate

/// One of a policy's rules, by position.
enum Rule: Hashable {
    case operationClass(Int)
    case endpoint(Int)
    case additional(Int)
    case concurrency
}

/// A rule on top of class and endpoint, and the permission that brings it; `nil` when every request has it.
struct AdditionalRule: Sendable, Hashable {
    let rule: LimitRule
    let permission: String?
}

/// Makes limits of rules, step by step: tier, account, permissions, endpoint multiplier, boost.
struct LimitMaker: Sendable {
    let definition: PolicyDefinition
    let permissions: [String: PermissionRule]
    /// The policy's own first, then those of the permissions.
    let additional: [AdditionalRule]

    init(_ definition: PolicyDefinition) {
        self.definition = definition
        // Names were checked to be unique; a repeated one is harmless here.
        additional =
            definition.limits.map { AdditionalRule(rule: $0, permission: nil) }
            + definition.permissions.flatMap { permission in
                permission.additions.map { AdditionalRule(rule: $0, permission: permission.name) }
            }
        permissions = Dictionary(definition.permissions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A rule's limit for a subject in a tier and how it came to be; nil when the tier has none.
    func made(_ rule: Rule, tier: TierRule, subject: Subject) throws(LimiterError) -> (limit: PreparedLimit?, steps: [LimitStep]) {
        switch rule {
        case .operationClass(let index):
            let rule = definition.classes[index]
            var draft = try draft(operationClass: rule, tier: tier, overrides: subject.overrides, permissions: subject.permissions)
            draft.boost(by: subject.boost)
            let limit = try draft.finished(id: rule.id, tier: tier.name)
            return (PreparedLimit(id: rule.id, name: rule.name, role: .operationClass, limit: limit), draft.steps)
        case .endpoint(let index):
            let rule = definition.endpoints[index]
            guard
                var draft = try draft(endpoint: rule, tier: tier, overrides: subject.overrides, permissions: subject.permissions)
            else { return (nil, []) }
            draft.boost(by: subject.boost)
            let limit = try draft.finished(id: rule.id, tier: tier.name)
            return (PreparedLimit(id: rule.id, name: rule.name, role: .endpoint, limit: limit, scope: rule.scope), draft.steps)
        case .additional(let index):
            let (rule, permission) = (additional[index].rule, additional[index].permission)
            if let permission, !subject.permissions.contains(permission) { return (nil, []) }
            let draft = try draft(additional: rule, overrides: subject.overrides)
            let limit = try draft.finished(id: rule.id, tier: tier.name)
            return (PreparedLimit(id: rule.id, name: rule.name, role: .additional, limit: limit, scope: rule.scope), draft.steps)
        case .concurrency:
            return try concurrency(tier: tier, override: subject.overrides[ConcurrencyRule.limitID])
        }
    }

    func draft(
        operationClass rule: ClassRule,
        tier: TierRule,
        overrides: [String: LimitOverride] = [:],
        permissions names: Set<String> = []
    ) throws(LimiterError) -> LimitDraft {
        // A class without a rate is an error at load.
        let rate = tier.limits[rule.id] ?? .unlimited
        var draft = LimitDraft(rate, defaults: defaults, step: .tier(tier.name, rate))
        if let override = overrides[rule.id] { try draft.replace(with: override, id: rule.id) }
        try apply(names, to: &draft) { $0.limits[rule.id] }
        return draft
    }

    func draft(
        endpoint rule: EndpointRule,
        tier: TierRule,
        overrides: [String: LimitOverride] = [:],
        permissions names: Set<String> = []
    ) throws(LimiterError) -> LimitDraft? {
        guard let rate = rule.limit else { return nil }
        var draft = LimitDraft(rate, defaults: defaults, step: .endpoint(rate))
        if let override = overrides[rule.id] { try draft.replace(with: override, id: rule.id) }
        try apply(names, to: &draft) { $0.endpoints[rule.id] }
        try draft.multiply(by: tier.endpointMultiplier, step: .endpointMultiplier(tier.name, tier.endpointMultiplier))
        return draft
    }

    func draft(additional rule: LimitRule, overrides: [String: LimitOverride] = [:]) throws(LimiterError) -> LimitDraft {
        var draft = LimitDraft(rule.limit, defaults: defaults, step: .additional(rule.limit, rule.scope))
        if let override = overrides[rule.id] { try draft.replace(with: override, id: rule.id) }
        return draft
    }

    private var defaults: LimitDraft.Defaults {
        LimitDraft.Defaults(algorithm: definition.algorithm, onRedisFailure: definition.onRedisFailure)
    }

    /// Applies permissions: the most restrictive of their rates, then all of their multipliers.
    private func apply(_ names: Set<String>, to draft: inout LimitDraft, rate: (PermissionRule) -> Rate?) throws(LimiterError) {
        guard !names.isEmpty, draft.value != .custom else { return }
        // In the order of names, so that ties and explanations are the same each time.
        let rules = names.compactMap { permissions[$0] }.sorted { $0.name < $1.name }
        let rates = rules.compactMap { rule in rate(rule).map { (name: rule.name, rate: $0) } }
        if let strictest = rates.min(by: { $0.rate.isStricter(than: $1.rate) }) {
            draft.replaceForKey(with: strictest.rate, step: .permission(strictest.name, strictest.rate))
        }
        for rule in rules {
            try draft.multiply(by: rule.multiplier, step: .permissionMultiplier(rule.name, rule.multiplier))
        }
    }

    func concurrency(tier: TierRule, override: LimitOverride?) throws(LimiterError) -> (limit: PreparedLimit?, steps: [LimitStep]) {
        var steps = [LimitStep.slots(tier.name, tier.concurrency)]
        var terms = ConcurrencyRule.Slots.Terms()
        var count: Int64?
        switch tier.concurrency {
        case .none:
            switch override {
            case nil, .multiplied: return (nil, [])
            case .units, .slots, .unlimited: break
            }
        case .unlimited: break
        case .slots(let slots): (terms, count) = (slots.terms, slots.count)
        case .custom(let own):
            terms = own
            switch override {
            case nil, .multiplied: throw LimiterError.customLimitMissing(ConcurrencyRule.limitID, tier: tier.name)
            case .units, .slots, .unlimited: break
            }
        }
        if let override {
            steps.append(.accountOverride(override))
            switch override {
            case .slots(let slots): count = slots
            case .unlimited: count = nil
            case .multiplied(let factor):
                guard let slots = count else { break }
                guard let product = factor.scale(slots) else {
                    throw LimiterError(.invalidLimit, "\(slots) slots times \(factor) are more than can be counted exactly")
                }
                count = product
            case .units:
                throw LimiterError(.invalidLimit, "the account's own limit for 'concurrency' is units per time; expected a number of slots")
            }
        }
        let limit = try limit(count: count, terms: terms)
        return (PreparedLimit(id: ConcurrencyRule.limitID, name: ConcurrencyRule.publicName, role: .concurrency, limit: limit), steps)
    }

    private func limit(count: Int64?, terms: ConcurrencyRule.Slots.Terms) throws(LimiterError) -> Limit? {
        guard let count else { return nil }
        return try Limit(
            ConcurrencyRule.limitID,
            .concurrency(count, timeToLive: terms.lease),
            onRedisFailure: terms.onRedisFailure ?? definition.onRedisFailure,
            mode: terms.mode
        )
    }
}

extension Rate {
    /// Whether this gives fewer units per time; nothing is the least, and no limit the most.
    func isStricter(than other: Rate) -> Bool {
        guard case .limited(let left) = self else { return false }
        guard case .limited(let right) = other else { return true }
        // Only 0 units have no window.
        guard let leftWindow = left.window, let rightWindow = right.window else { return left.units == 0 && right.units > 0 }
        return Int128(left.units) * Int128(rightWindow.wholeMicroseconds) < Int128(right.units) * Int128(leftWindow.wholeMicroseconds)
    }
}
