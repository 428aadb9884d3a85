import Headgate
import HeadgatePolicy

/// Small policies for tests.
enum Samples {
    /// Two classes, two tiers; `change` makes it what a test needs.
    static func definition(_ change: (inout PolicyDefinition) throws -> Void = { _ in }) throws -> PolicyDefinition {
        var definition = PolicyDefinition(
            name: "sample",
            classes: [
                ClassRule("read", match: [try RoutePattern("GET /**")]),
                ClassRule("write", match: [try RoutePattern("* /**")]),
            ],
            tiers: [
                TierRule("free", limits: ["read": try Rate("100/hour"), "write": try Rate("20/hour")]),
                TierRule(
                    "pro",
                    aliases: ["plus"],
                    endpointMultiplier: 5,
                    limits: ["read": try Rate("1000/hour"), "write": try Rate("200/hour")]
                ),
            ],
            defaultTier: "free",
            endpoints: [EndpointRule(match: try RoutePattern("GET /items/*"), limit: try Rate("50/hour"))]
        )
        try change(&definition)
        return definition
    }

    static func policy(_ change: (inout PolicyDefinition) throws -> Void = { _ in }) throws -> Policy {
        try Policy(try definition(change))
    }

    static func request(
        _ method: String = "GET",
        _ path: String = "/other",
        tier: String? = nil,
        permissions: Set<String> = [],
        overrides: [String: LimitOverride] = [:],
        cost: Int64 = 1,
        priority: Priority = .normal
    ) throws -> LimitRequest {
        var subject = try Subject.account("acme", tier: tier, permissions: permissions)
        subject.overrides = overrides
        return LimitRequest(subject: subject, endpoint: Endpoint(method: method, path: path), cost: .units(cost), priority: priority)
    }
}

extension AppliedLimit {
    /// `id units/seconds`, `id unlimited` or `id slots`: what tests compare.
    var short: String {
        guard let charge else { return "\(id) unlimited" }
        switch charge.limit.algorithm {
        case .concurrency(let concurrency): return "\(id) \(concurrency.slots)"
        case .tokenBucket(let bucket): return "\(id) \(bucket.units) burst \(bucket.burst)"
        default: return "\(id) \(charge.limit.algorithm.capacity)/\(charge.limit.algorithm.window?.components.seconds ?? 0)"
        }
    }
}

extension Policy {
    func short(_ request: LimitRequest) throws -> [String] { try limits(for: request).map(\.short) }
}
