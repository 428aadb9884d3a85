internal import Headgate

extension PolicyCompiler {
    /// Checks that every tier gives every class a rate, and nothing else.
    mutating func checkTiers() {
        if definition.tiers.isEmpty { report(.root.key("tiers"), "expected at least one tier, found none") }
        let classes = definition.classes.map(\.id)
        for tier in definition.tiers {
            let path = FieldPath.root.key("tiers").key(tier.name)
            checkKnown(tier.limits.keys, among: classes, kind: "class", path.key("limits"))
            for id in classes {
                if let rate = tier.limits[id] {
                    check(rate, path.key("limits").key(id))
                } else {
                    report(path.key("limits"), "expected a rate for the class '\(id)' (no limit is written 'unlimited'), found none")
                }
            }
            if case .slots(let slots) = tier.concurrency {
                checkConcurrency(slots.count, slots.terms, path.key("concurrency"))
            } else if case .custom(let terms) = tier.concurrency {
                checkConcurrency(1, terms, path.key("concurrency"))
            }
        }
        for (index, rule) in definition.endpoints.enumerated() {
            check(rule.limit, .root.key("endpoints").index(index).key("limit"))
        }
    }

    /// Checks that permissions name what exists and give rates.
    mutating func checkPermissions() {
        for permission in definition.permissions {
            let path = FieldPath.root.key("permissions").key(permission.name)
            checkKnown(permission.limits.keys, among: definition.classes.map(\.id), kind: "class", path.key("limits"))
            checkKnown(permission.endpoints.keys, among: definition.endpoints.map(\.id), kind: "endpoint id", path.key("endpoints"))
            for (field, rates) in [("limits", permission.limits), ("endpoints", permission.endpoints)] {
                for (id, rate) in rates.sorted(by: { $0.key < $1.key }) {
                    if rate == .custom {
                        report(
                            path.key(field).key(id),
                            "expected a rate or 'unlimited', found 'custom', which only tiers and endpoints have"
                        )
                    } else {
                        check(rate, path.key(field).key(id))
                    }
                }
            }
        }
    }

    private mutating func checkKnown(_ used: some Sequence<String>, among known: [String], kind: String, _ path: FieldPath) {
        for name in used.sorted() where !known.contains(name) {
            report(
                path.key(name),
                "expected the \(kind) to be one of \(Suggestion.list(known)), found '\(name)'\(Suggestion.hint(for: name, among: known))"
            )
        }
    }

    private mutating func checkConcurrency(_ count: Int64, _ terms: ConcurrencyRule.Slots.Terms, _ path: FieldPath) {
        do {
            _ = try Algorithm.concurrency(count, timeToLive: terms.lease)
        } catch {
            report(path, error.message)
        }
    }

    /// Checks a rate by itself, before anything multiplies it.
    private mutating func check(_ rate: Rate, _ path: FieldPath) {
        guard case .limited(let quota) = rate else { return }
        if quota.units != 0, quota.window == nil {
            return report(path, "expected a window such as 'per hour' for \(quota.units) units, found none")
        }
        if quota.algorithm == .concurrency {
            return report(
                path.key("algorithm"),
                "expected a way to count units per time; a tier's 'concurrency' limits concurrent requests"
            )
        }
        if quota.burst != nil, let algorithm = quota.algorithm, algorithm != .tokenBucket {
            return report(path.key("burst"), "expected no burst for \(algorithm.rawValue), found one: only a token_bucket has it")
        }
        let algorithm = quota.algorithm ?? (quota.burst == nil ? definition.algorithm : .tokenBucket)
        // A default that cannot count was reported at its own place.
        guard algorithm != .concurrency else { return }
        if quota.resolution != nil, algorithm != .slidingWindowLog {
            return report(path.key("resolution"), "expected no resolution for \(algorithm.rawValue): only a sliding_window_log has it")
        }
        do {
            _ = try LimitDraft(rate, defaults: defaults, step: .endpoint(rate)).finished(id: "limit", tier: "")
        } catch {
            report(path, error.message)
        }
    }

    private var defaults: LimitDraft.Defaults {
        LimitDraft.Defaults(algorithm: definition.algorithm, onRedisFailure: definition.onRedisFailure)
    }
}

extension PolicyCompiler {
    /// Makes the limits of all tiers, and checks that every permission leaves limits that can be counted.
    mutating func compileTiers() -> [Policy.CompiledTier] {
        let maker = maker
        return definition.tiers.map { tier in
            var compiled = Policy.CompiledTier(rule: tier)
            for (index, rule) in definition.classes.enumerated() {
                let path = FieldPath.root.key("tiers").key(tier.name).key("limits").key(rule.id)
                let outcome = outcome(path, rule.id, tier: tier) { () throws(LimiterError) in
                    try maker.draft(operationClass: rule, tier: tier)
                }
                compiled.classes.append(PreparedLimit(id: rule.id, name: rule.name, role: .operationClass, outcome: outcome))
                checkPermissions(.operationClass(index), tier: tier)
            }
            for (index, rule) in definition.endpoints.enumerated() {
                let path = FieldPath.root.key("endpoints").index(index).key("limit")
                let outcome = outcome(path, rule.id, tier: tier) { () throws(LimiterError) in try maker.draft(endpoint: rule, tier: tier) }
                compiled.endpoints.append(PreparedLimit(id: rule.id, name: rule.name, role: .endpoint, outcome: outcome))
                checkPermissions(.endpoint(index), tier: tier)
            }
            compiled.concurrency = concurrency(tier)
            return compiled
        }
    }

    private mutating func outcome(
        _ path: FieldPath,
        _ id: String,
        tier: TierRule,
        _ make: () throws(LimiterError) -> LimitDraft
    ) -> PreparedLimit.Outcome {
        do {
            let draft = try make()
            if draft.value == .custom { return .custom }
            if draft.vanishes {
                report(path, "multiplied for tier '\(tier.name)', less than one unit is left; expected at least 1, or 0 written out")
            }
            return try draft.finished(id: id, tier: tier.name).map(PreparedLimit.Outcome.limit) ?? .unlimited
        } catch {
            report(path, "multiplied for tier '\(tier.name)': \(error.message)")
            return .custom
        }
    }

    private mutating func checkPermissions(_ rule: Rule, tier: TierRule) {
        for permission in definition.permissions {
            let path = FieldPath.root.key("permissions").key(permission.name)
            do {
                let draft: LimitDraft
                let id: String
                switch rule {
                case .operationClass(let index):
                    id = definition.classes[index].id
                    draft = try maker.draft(operationClass: definition.classes[index], tier: tier, permissions: [permission.name])
                case .endpoint(let index):
                    id = definition.endpoints[index].id
                    draft = try maker.draft(endpoint: definition.endpoints[index], tier: tier, permissions: [permission.name])
                case .concurrency:
                    continue
                }
                guard draft.value != .custom else { continue }
                _ = try draft.finished(id: id, tier: tier.name)
                if draft.vanishes {
                    report(path, "in tier '\(tier.name)' it leaves less than one unit of '\(id)'; expected at least 1, or 0 written out")
                }
            } catch {
                report(path, "in tier '\(tier.name)' it makes a limit that cannot be counted: \(error.message)")
            }
        }
    }

    private func concurrency(_ tier: TierRule) -> PreparedLimit? {
        let (id, name) = (ConcurrencyRule.limitID, ConcurrencyRule.publicName)
        if case .custom = tier.concurrency { return PreparedLimit(id: id, name: name, role: .concurrency, outcome: .custom) }
        // The numbers were checked before, so this does not throw.
        return try? maker.concurrency(tier: tier, override: nil).limit
    }
}
