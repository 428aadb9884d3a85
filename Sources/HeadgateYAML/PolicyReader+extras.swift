internal import Headgate
internal import HeadgatePolicy
internal import Yams

extension PolicyReader {
    /// Limits on top of classes and endpoints, by id.
    mutating func limitRules(_ field: Field) -> [LimitRule] {
        entries(field) { $0.limitRule($1, $2) }
    }

    private mutating func limitRule(_ id: String, _ field: Field) -> LimitRule {
        let known = fields.fields(field, ["match", "limit", "per", "name"])
        if case .mapping = field.node, known["limit"] == nil { fields.report(field, "expected a 'limit', found none") }
        return LimitRule(
            id,
            name: known["name"].flatMap { fields.string($0) },
            match: known["match"].map { patterns($0) } ?? [.everything],
            limit: known["limit"].flatMap { rate($0) } ?? .unlimited,
            scope: known["per"].flatMap { fields.choice($0) } ?? .account
        )
    }

    /// What requests cost: a number, or the header field that says it.
    mutating func cost(_ field: Field) -> CostRule {
        guard case .mapping = field.node else { return .units(fields.integer(field) ?? 1) }
        let known = fields.fields(field, ["header", "default", "max"])
        var header = CostRule.HeaderCost("X-Request-Cost")
        if let field = known["header"] {
            header.name = fields.string(field) ?? header.name
        } else {
            fields.report(field, "expected a 'header', found none")
        }
        if let field = known["default"] { header.fallback = fields.integer(field) ?? header.fallback }
        if let field = known["max"] { header.most = fields.integer(field) ?? header.most }
        return .header(header)
    }

    /// Statuses such as 304 and 5xx: a list, or one alone.
    mutating func statuses(_ field: Field) -> [StatusPattern] {
        let items = if case .scalar = field.node { [field] } else { fields.items(field) ?? [] }
        return items.compactMap { item in
            fields.parsed(item, "a status such as 304 or 5xx") { text throws(LimiterError) in try StatusPattern(text) }
        }
    }

    mutating func boosts(_ field: Field) -> BoostRules {
        let known = fields.fields(field, ["max_multiplier", "max_duration", "per_month"])
        var boosts = BoostRules()
        if let field = known["max_multiplier"] { boosts.maxMultiplier = multiplier(field) }
        if let field = known["max_duration"] { boosts.maxDuration = duration(field) ?? boosts.maxDuration }
        if let field = known["per_month"] { boosts.perMonth = fields.integer(field) ?? boosts.perMonth }
        return boosts
    }

    mutating func events(_ field: Field) -> EventRules {
        let known = fields.fields(field, ["thresholds"])
        guard let thresholds = known["thresholds"] else { return EventRules() }
        let percents = (fields.items(thresholds) ?? []).compactMap { item in
            fields.parsed(item, "a share such as 80%") { text throws(LimiterError) in
                guard text.hasSuffix("%"), let percent = Int64(digits: text.dropLast()), percent <= 1_000 else {
                    throw LimiterError(.invalidLimit, "expected whole percents such as 80%, found '\(text)'")
                }
                return Int(percent)
            }
        }
        return EventRules(thresholds: percents)
    }
}
