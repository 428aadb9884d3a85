internal import Headgate
internal import HeadgatePolicy
internal import Yams

extension PolicyReader {
    /// A class: its patterns alone, or a mapping with its public name.
    mutating func operationClass(_ id: String, _ field: Field) -> ClassRule {
        guard case .mapping = field.node else { return ClassRule(id, match: patterns(field)) }
        let known = fields.fields(field, ["name", "match"])
        return ClassRule(
            id,
            name: known["name"].flatMap { fields.string($0) },
            match: known["match"].map { patterns($0) } ?? []
        )
    }

    mutating func patterns(_ field: Field) -> [RoutePattern] {
        if case .scalar = field.node { return pattern(field).map { [$0] } ?? [] }
        return (fields.items(field) ?? []).compactMap { pattern($0) }
    }

    private mutating func pattern(_ field: Field) -> RoutePattern? {
        fields.parsed(field, "a pattern such as GET /accounts/*") { text throws(LimiterError) in try RoutePattern(text) }
    }

    mutating func tier(_ name: String, _ field: Field) -> TierRule {
        let known = fields.fields(field, ["aliases", "endpoint_multiplier", "limits", "concurrency"])
        var tier = TierRule(name, limits: [:])
        if let field = known["aliases"] { tier.aliases = (fields.items(field) ?? []).compactMap { fields.string($0) } }
        if let field = known["endpoint_multiplier"] { tier.endpointMultiplier = multiplier(field) }
        if let field = known["limits"] {
            tier.limits = rates(field)
            tier.order = fields.names(field)
        }
        if let field = known["concurrency"] { tier.concurrency = concurrency(field) }
        return tier
    }

    mutating func multiplier(_ field: Field) -> Multiplier {
        fields.parsed(field, "a number such as 5") { text throws(LimiterError) in try Multiplier(text) } ?? 1
    }

    /// An endpoint rule; what cannot be read of it is replaced, so that the other rules keep their positions.
    mutating func endpoint(_ field: Field) -> EndpointRule? {
        let known = fields.fields(field, ["match", "limit", "id", "name", "per", "cost", "refund_on"])
        if case .mapping = field.node, known["match"] == nil { fields.report(field, "expected a 'match', found none") }
        // No request has such a method, and no two fields have the same path.
        let placeholder = try? RoutePattern("UNREADABLE /\(field.path)")
        guard let match = known["match"].flatMap({ pattern($0) }) ?? placeholder else { return nil }
        return EndpointRule(
            match: match,
            // One that was reported stands as unlimited, so that the rule is not taken for one without a limit.
            limit: known["limit"].map { rate($0) ?? .unlimited },
            id: known["id"].flatMap { fields.string($0) },
            name: known["name"].flatMap { fields.string($0) },
            scope: known["per"].flatMap { fields.choice($0) } ?? .account,
            cost: known["cost"].map { cost($0) },
            refundOn: known["refund_on"].map { statuses($0) }
        )
    }

    mutating func permission(_ name: String, _ field: Field) -> PermissionRule {
        let known = fields.fields(field, ["limits", "endpoints", "multiplier", "add"])
        var permission = PermissionRule(name)
        if let field = known["limits"] { permission.limits = rates(field) }
        if let field = known["endpoints"] { permission.endpoints = rates(field) }
        if let field = known["multiplier"] { permission.multiplier = multiplier(field) }
        if let field = known["add"] { permission.additions = limitRules(field) }
        return permission
    }

    mutating func priority(_ name: String, _ field: Field) -> PriorityRule {
        let known = fields.fields(field, ["reserve", "requires"])
        var priority = PriorityRule(name)
        if let field = known["reserve"] {
            priority.reserve = fields.parsed(field, "a percentage such as 20%") { text throws(LimiterError) in try Percentage(text) } ?? 0
        }
        if let field = known["requires"] { priority.requires = fields.string(field) }
        return priority
    }
}
