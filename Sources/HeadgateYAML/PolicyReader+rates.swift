internal import Headgate
internal import HeadgatePolicy
internal import Yams

extension PolicyReader {
    /// Rates by name.
    ///
    /// One that was reported stands as unlimited, so that its name is not missed.
    mutating func rates(_ field: Field) -> [String: Rate] {
        var rates: [String: Rate] = [:]
        for entry in fields.entries(field) ?? [] { rates[entry.key] = rate(entry.field) ?? .unlimited }
        return rates
    }

    /// A rate in its short or its long form.
    mutating func rate(_ field: Field) -> Rate? {
        guard case .mapping = field.node else {
            return fields.parsed(field, "a rate such as 100/hour") { text throws(LimiterError) in try Rate(text) }
        }
        let known = fields.fields(field, ["limit", "window", "algorithm", "burst", "resolution", "on_redis_failure", "shadow"])
        guard let units = known["limit"].flatMap({ fields.integer($0) }) else {
            if known["limit"] == nil { fields.report(field, "expected a 'limit', found none") }
            return nil
        }
        let window = known["window"].map { duration($0) }
        if window == nil, units != 0 { fields.report(field, "expected a 'window' such as 1h, found none") }
        return .limited(
            Quota(
                units: units,
                per: window ?? nil,
                algorithm: known["algorithm"].flatMap { fields.choice($0) },
                burst: known["burst"].flatMap { fields.integer($0) },
                resolution: known["resolution"].flatMap { duration($0) },
                onRedisFailure: known["on_redis_failure"].flatMap { fields.choice($0) },
                mode: mode(known["shadow"])
            )
        )
    }

    /// A time.
    ///
    /// `0` needs no unit: it means the same in all of them.
    mutating func duration(_ field: Field) -> Duration? {
        fields.parsed(field, "a time such as 1h") { text throws(LimiterError) in text == "0" ? .zero : try Duration(readable: text) }
    }

    private mutating func mode(_ field: Field?) -> Limit.Mode {
        guard let field else { return .enforced }
        return fields.bool(field) == true ? .shadow : .enforced
    }

    /// A tier's concurrent requests: a number, `custom`, `unlimited`, or a mapping.
    mutating func concurrency(_ field: Field) -> ConcurrencyRule {
        switch field.node {
        case .mapping:
            let known = fields.fields(field, ["limit", "lease", "on_redis_failure", "shadow"])
            var terms = ConcurrencyRule.Slots.Terms(mode: mode(known["shadow"]))
            if let field = known["lease"] { terms.lease = duration(field) ?? terms.lease }
            if let field = known["on_redis_failure"] { terms.onRedisFailure = fields.choice(field) }
            guard let limit = known["limit"] else {
                fields.report(field, "expected a 'limit', found none")
                return .none
            }
            return slots(limit, terms)
        default:
            return slots(field, ConcurrencyRule.Slots.Terms())
        }
    }

    private mutating func slots(_ field: Field, _ terms: ConcurrencyRule.Slots.Terms) -> ConcurrencyRule {
        guard let text = fields.string(field, "a number of slots, custom or unlimited") else { return .none }
        switch text {
        case "custom": return .custom(terms)
        case "unlimited": return .unlimited
        default:
            guard let count = Int64(digits: text) else {
                fields.report(field, "expected a number of slots, custom or unlimited, found '\(text)'")
                return .none
            }
            return .slots(ConcurrencyRule.Slots(count, terms: terms))
        }
    }
}
