internal import Headgate

extension Explanation: CustomStringConvertible {
    /// The explanation in lines, for people.
    public var description: String {
        var lines = ["\(method) \(path)"]
        switch basePath {
        case .none: break
        case .stripped: lines.append("  matched as  \(routePath), below the base path")
        case .outside: lines.append("  matched as  \(routePath), outside the base path")
        }
        lines.append("  tier        \(tier)\(tierNote)")
        lines.append("  class       \(operationClass.id), by \(operationClass.pattern)")
        lines.append("  endpoint    \(endpoint.map { "\($0.id), by \($0.pattern)" } ?? "no rule, only the class counts")")
        lines.append("  priority    \(priority.name), reserve \(priority.reserve)\(priorityNote)")
        if !unknownPermissions.isEmpty {
            lines.append("  permissions \(Suggestion.list(unknownPermissions)): not in the policy, nothing changes")
        }
        for limit in limits {
            lines.append("  limit       \(limit.applied.id): \(limit.outcome)")
            lines += limit.steps.map { "              - \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    private var tierNote: String {
        guard let requestedTier else { return ", the default" }
        return requestedTier == tier ? "" : ", known as \(requestedTier)"
    }

    private var priorityNote: String {
        switch priorityRefusal {
        case nil: ""
        case .unknown: "; '\(requestedPriority.name)' is not in the policy"
        case .permissionMissing(let permission): "; '\(requestedPriority.name)' takes the permission '\(permission)'"
        }
    }
}

extension Explanation.ExplainedLimit {
    /// The limit that came out, in one line.
    fileprivate var outcome: String {
        guard let charge = applied.charge else { return "unlimited" }
        let limit = charge.limit
        var text =
            switch limit.algorithm {
            case .slidingWindowLog(let log): Self.rate(log.units, limit.algorithm.window)
            case .fixedWindow(let fixed): Self.rate(fixed.units, limit.algorithm.window)
            case .slidingWindowCounter(let counter): Self.rate(counter.units, limit.algorithm.window)
            case .tokenBucket(let bucket): "\(bucket.burst) at once, all back in \(limit.algorithm.window?.readable ?? "")"
            case .concurrency(let concurrency): "\(concurrency.slots) at the same time"
            }
        text += ", \(limit.algorithm.name.rawValue), on Redis failure \(limit.onRedisFailure.rawValue)"
        if limit.mode == .shadow { text += ", shadow: it never denies" }
        if charge.reserve > 0 { text += ", \(charge.reserve) kept back" }
        if limit.algorithm.capacity == 0 { text += ": everything is denied" }
        return text
    }

    private static func rate(_ units: Int64, _ window: Duration?) -> String { "\(units) per \(window?.readable ?? "")" }
}
