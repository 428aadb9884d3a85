internal import Headgate

extension PolicyCompiler {
    /// Checks that every name is there, well-formed, unique and known where it is used.
    mutating func checkNames() {
        checkLimitIDs()
        var seen: [String: FieldPath] = [:]
        for (index, tier) in definition.tiers.enumerated() {
            let path = FieldPath.root.key("tiers").key(tier.name)
            checkUnique(tier.name, path, among: &seen)
            if tier.name.isEmpty { report(.root.key("tiers").index(index), "expected a name for the tier, found nothing") }
            for (position, alias) in tier.aliases.enumerated() {
                if alias.isEmpty { report(path.key("aliases").index(position), "expected a name, found nothing") }
                checkUnique(alias, path.key("aliases").index(position), among: &seen)
            }
        }
        if let name = definition.defaultTier, seen[name] == nil {
            report(
                .root.key("default_tier"),
                "expected one of the tiers \(Suggestion.list(definition.tiers.map(\.name))), found '\(name)'"
                    + Suggestion.hint(for: name, among: seen.keys.sorted())
            )
        }
        checkUnique(definition.permissions.map(\.name), in: .root.key("permissions"))
        checkUnique(definition.priorities.map(\.name), in: .root.key("priorities"))
        if let normal = definition.priorities.first(where: { $0.name == Priority.normal.name }), let permission = normal.requires {
            report(
                .root.key("priorities").key(normal.name).key("requires"),
                "expected no permission for 'normal', which all requests fall back to, found '\(permission)'"
            )
        }
    }

    /// Class ids and endpoint ids name counts, so they are one set of names.
    private mutating func checkLimitIDs() {
        var seen = [ConcurrencyRule.limitID: FieldPath.root.key("tiers").key("*").key("concurrency")]
        for rule in definition.classes {
            let path = FieldPath.root.key("classes").key(rule.id)
            checkLimitID(rule.id, path)
            checkUnique(rule.id, path, among: &seen)
            if rule.name.isEmpty { report(path.key("name"), "expected a name, found nothing") }
            if rule.match.isEmpty { report(path.key("match"), "expected at least one pattern such as 'GET /**', found none") }
        }
        for (index, rule) in definition.endpoints.enumerated() {
            let path = FieldPath.root.key("endpoints").index(index)
            let isDerived = rule.id == rule.match.limitID
            checkLimitID(rule.id, path.key(isDerived ? "match" : "id"))
            if rule.name.isEmpty { report(path.key("name"), "expected a name, found nothing") }
            // Two rules with one pattern are a tie, which says more.
            if isDerived, definition.endpoints[..<index].contains(where: { $0.match == rule.match }) { continue }
            checkUnique(rule.id, path.key(isDerived ? "match" : "id"), among: &seen)
        }
        for additional in maker.additional {
            let path = additionalPath(additional)
            checkLimitID(additional.rule.id, path)
            checkUnique(additional.rule.id, path, among: &seen)
            if additional.rule.name.isEmpty { report(path.key("name"), "expected a name, found nothing") }
            if additional.rule.match.isEmpty { report(path.key("match"), "expected at least one pattern such as 'GET /**', found none") }
        }
    }

    private mutating func checkLimitID(_ id: String, _ path: FieldPath) {
        do {
            _ = try Limit(id, .concurrency(1))
        } catch {
            report(path, "'\(id)' cannot be the id of a limit: \(error.message); give the rule an 'id'")
        }
    }

    private mutating func checkUnique(_ names: [String], in path: FieldPath) {
        var seen: [String: FieldPath] = [:]
        for name in names {
            if name.isEmpty { report(path.key(name), "expected a name, found nothing") }
            checkUnique(name, path.key(name), among: &seen)
        }
    }

    private mutating func checkUnique(_ name: String, _ path: FieldPath, among seen: inout [String: FieldPath]) {
        if let first = seen[name] {
            report(path, "expected a name that is used once, found '\(name)', which is taken by \(first)")
        } else {
            seen[name] = path
        }
    }
}
