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
            if let rate = rule.limit { check(rate, .root.key("endpoints").index(index).key("limit")) }
        }
    }

    /// Checks that permissions name what exists and give rates.
    mutating func checkPermissions() {
        for permission in definition.permissions {
            let path = FieldPath.root.key("permissions").key(permission.name)
            checkKnown(permission.limits.keys, among: definition.classes.map(\.id), kind: "class", path.key("limits"))
            checkKnown(
                permission.endpoints.keys,
                among: definition.endpoints.filter { $0.limit != nil }.map(\.id),
                kind: "endpoint id",
                path.key("endpoints")
            )
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

    /// Checks the rates of additional rules, which are the same in all tiers.
    mutating func checkAdditional() {
        for additional in maker.additional {
            let path = additionalPath(additional).key("limit")
            if additional.rule.limit == .custom {
                report(path, "expected a rate or 'unlimited', found 'custom', which only tiers and endpoints have")
            } else {
                check(additional.rule.limit, path)
            }
        }
    }

    /// Where an additional rule stands.
    func additionalPath(_ additional: AdditionalRule) -> FieldPath {
        let parent = additional.permission.map { FieldPath.root.key("permissions").key($0).key("add") } ?? .root.key("limits")
        return parent.key(additional.rule.id)
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
                guard rule.limit != nil else {
                    compiled.endpoints.append(nil)
                    continue
                }
                let outcome = outcome(path, rule.id, tier: tier) { () throws(LimiterError) in try maker.draft(endpoint: rule, tier: tier) }
                compiled.endpoints.append(
                    PreparedLimit(id: rule.id, name: rule.name, role: .endpoint, outcome: outcome, scope: rule.scope)
                )
                checkPermissions(.endpoint(index), tier: tier)
            }
            for additional in maker.additional {
                // Its rate was checked before, so this does not throw; without the permission nobody has it.
                let limit = try? maker.draft(additional: additional.rule).finished(id: additional.rule.id, tier: tier.name)
                let rule = additional.rule
                compiled.additional.append(
                    additional.permission == nil
                        ? PreparedLimit(id: rule.id, name: rule.name, role: .additional, limit: limit ?? nil, scope: rule.scope) : nil
                )
            }
            compiled.concurrency = concurrency(tier)
            return compiled
        }
    }

    private mutating func outcome(
        _ path: FieldPath,
        _ id: String,
        tier: TierRule,
        _ make: () throws(LimiterError) -> LimitDraft?
    ) -> PreparedLimit.Outcome {
        do {
            guard let draft = try make() else { return .unlimited }
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
                    guard let made = try maker.draft(endpoint: definition.endpoints[index], tier: tier, permissions: [permission.name])
                    else { continue }
                    draft = made
                case .additional, .concurrency:
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
