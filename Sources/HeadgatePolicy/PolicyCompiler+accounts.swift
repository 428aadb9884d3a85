internal import Headgate

extension PolicyCompiler {
    /// The longest id of a limit that is counted per key, whose id stands behind it.
    static let longestKeyedID = 88

    /// Checks what endpoints cost, and that their rules say something.
    mutating func checkCosts() {
        for (index, rule) in definition.endpoints.enumerated() {
            let path = FieldPath.root.key("endpoints").index(index)
            if rule.limit == nil, rule.cost == nil, rule.refundOn == nil {
                report(path, "expected a 'limit', a 'cost' or a 'refund_on', found none of them")
            }
            if rule.limit == nil, rule.scope != .account {
                report(path.key("per"), "expected no 'per' without a 'limit', found '\(rule.scope.rawValue)'")
            }
            if rule.scope == .key { checkKeyed(rule.id, path) }
            switch rule.cost {
            case nil: break
            case .units(let units): checkCost(units, path.key("cost"))
            case .header(let header):
                checkCost(header.fallback, path.key("cost").key("default"))
                checkCost(header.most, path.key("cost").key("max"))
                if header.fallback > header.most {
                    report(path.key("cost").key("max"), "expected at least the default of \(header.fallback), found \(header.most)")
                }
                if header.name.isEmpty || !header.name.utf8.allSatisfy(RoutePattern.isToken) {
                    report(
                        path.key("cost").key("header"),
                        "expected the name of a header field such as X-Request-Cost, found '\(header.name)'"
                    )
                }
            }
        }
        for additional in maker.additional where additional.rule.scope == .key {
            checkKeyed(additional.rule.id, additionalPath(additional))
        }
    }

    private mutating func checkCost(_ units: Int64, _ path: FieldPath) {
        guard !(1...Algorithm.mostUnits).contains(units) else { return }
        report(path, "expected a cost of 1 to \(Algorithm.mostUnits), found \(units)")
    }

    private mutating func checkKeyed(_ id: String, _ path: FieldPath) {
        guard id.utf8.count > PolicyCompiler.longestKeyedID else { return }
        report(
            path,
            "expected an id of at most \(PolicyCompiler.longestKeyedID) bytes for a limit per key, found \(id.utf8.count); give the rule an 'id'"
        )
    }

    /// Checks what customers may boost, and when events are due.
    mutating func checkAccountRules() {
        if let boosts = definition.boosts {
            let path = FieldPath.root.key("boosts")
            if !(.seconds(1)...(.seconds(366 * 86_400))).contains(boosts.maxDuration) {
                report(path.key("max_duration"), "expected a time from 1s to 366d")
            }
            if !(1...1_000).contains(boosts.perMonth) {
                report(path.key("per_month"), "expected 1 to 1000 boosts a month, found \(boosts.perMonth)")
            }
        }
        for (index, percent) in definition.events.thresholds.enumerated() {
            let path = FieldPath.root.key("events").key("thresholds").index(index)
            if !(1...100).contains(percent) { report(path, "expected 1% to 100%, found \(percent)%") }
            if definition.events.thresholds[..<index].contains(percent) {
                report(path, "expected each threshold once, found \(percent)% again")
            }
        }
    }
}
