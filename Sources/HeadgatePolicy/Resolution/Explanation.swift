public import Headgate

/// How a policy came to a request's limits.
public struct Explanation: Sendable, Hashable {
    /// The method as it was given.
    public let method: String
    /// The path in canonical form.
    public let path: CanonicalPath
    /// The path as the patterns see it: without the base path.
    public let routePath: String
    /// What became of the base path.
    public let basePath: BasePathOutcome
    /// The tier that the request named, if any.
    public let requestedTier: String?
    /// The tier that counts.
    public let tier: String
    /// The class and the first of its patterns that matches.
    public let operationClass: RuleMatch
    /// The endpoint rule that matches, if any.
    public let endpoint: RuleMatch?
    /// The priority that the request named.
    public let requestedPriority: Priority
    /// The priority that counts.
    public let priority: PriorityRule
    /// Why that is not the one that was named; `nil` when it is.
    public let priorityRefusal: PriorityRefusal?
    /// Permissions of the subject that the policy does not know; they change nothing.
    public let unknownPermissions: [String]
    /// The limits, in order, with the steps that made them.
    public let limits: [ExplainedLimit]

    /// What became of the base path.
    public enum BasePathOutcome: Sendable, Hashable {
        /// The policy has none.
        case none
        /// It was stripped.
        case stripped
        /// The path lies outside and was matched as it is.
        case outside
    }

    /// A rule that matches, by the limit's id, and its pattern.
    public struct RuleMatch: Sendable, Hashable {
        /// The id of the rule's limit.
        public let id: String
        /// The pattern that matches.
        public let pattern: RoutePattern
    }

    /// Why a request counts as `normal`.
    public enum PriorityRefusal: Sendable, Hashable {
        /// The policy has no priority of that name.
        case unknown
        /// It takes a permission that the subject lacks.
        case permissionMissing(String)
    }

    /// A limit and how it was made.
    public struct ExplainedLimit: Sendable, Hashable {
        /// The limit.
        public let applied: AppliedLimit
        /// What made it, in order.
        public let steps: [LimitStep]
    }
}

extension Policy {
    /// How the limits of a request come about: the same as ``limits(for:)``, and each step on the way.
    ///
    /// - Throws: What ``limits(for:)`` throws.
    public func explain(_ request: LimitRequest) throws(LimiterError) -> Explanation {
        let path = try CanonicalPath(request.endpoint.path)
        let route = routePath(of: path)
        let match = matcher.match(method: request.endpoint.method, path: route.path)
        let tier = try tier(named: request.subject.tier)
        let priority = priority(request.priority, of: request.subject)

        var limits: [Explanation.ExplainedLimit] = []
        let cost = request.cost.units(ofEndpoint: match.endpoint.flatMap { definition.endpoints[$0].cost?.fallback } ?? 1)
        let endpoint = match.endpoint.map { [Rule.endpoint($0)] } ?? []
        let rules = [.operationClass(match.operationClass)] + endpoint + match.additional.map { Rule.additional($0) } + [.concurrency]
        for rule in rules {
            let (limit, steps) = try maker.made(rule, tier: tier.rule, subject: request.subject)
            guard let limit else { continue }
            let applied = try limit.applied(
                to: request.subject,
                cost: cost,
                reserve: priority.rule.reserve,
                tier: tier.rule.name
            )
            limits.append(Explanation.ExplainedLimit(applied: applied, steps: steps))
        }

        let operationClass = definition.classes[match.operationClass]
        return Explanation(
            method: request.endpoint.method,
            path: path,
            routePath: String(route.path),
            basePath: route.basePath,
            requestedTier: request.subject.tier,
            tier: tier.rule.name,
            operationClass: Explanation.RuleMatch(id: operationClass.id, pattern: operationClass.match[match.pattern]),
            endpoint: match.endpoint.map {
                Explanation.RuleMatch(id: definition.endpoints[$0].id, pattern: definition.endpoints[$0].match)
            },
            requestedPriority: request.priority,
            priority: priority.rule,
            priorityRefusal: priority.refusal,
            unknownPermissions: request.subject.permissions.subtracting(knownPermissions).sorted(),
            limits: limits
        )
    }
}
