import Headgate
import HeadgatePolicy
import Testing

@Suite("Policies that are refused")
struct InvalidPolicyTests {
    private func problems(_ change: (inout PolicyDefinition) throws -> Void) throws -> [String] {
        let definition = try Samples.definition(change)
        do {
            _ = try Policy(definition)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    private func expectProblem(_ expected: String, _ change: (inout PolicyDefinition) throws -> Void) throws {
        let problems = try problems(change)
        #expect(problems.count == 1 && problems.first?.contains(expected) == true, "\(problems)")
    }

    @Test("A sound policy is not refused")
    func sound() throws {
        #expect(try problems { _ in }.isEmpty)
    }

    @Test("Names are there, known and used once")
    func names() throws {
        try expectProblem("name: expected a name") { $0.name = "" }
        try expectProblem("default_tier: expected one of the tiers 'free', 'pro', found 'fre' (did you mean 'free'?)") {
            $0.defaultTier = "fre"
        }
        try expectProblem("tiers.pro.aliases[0]: expected a name that is used once, found 'free', which is taken by tiers.free") {
            $0.tiers[1].aliases = ["free"]
        }
        try expectProblem("endpoints[1].id: expected a name that is used once, found 'read'") {
            $0.endpoints.append(EndpointRule(match: try RoutePattern("GET /x"), limit: .unlimited, id: "read"))
        }
        try expectProblem("endpoints[0].id: 'a b' cannot be the id") { $0.endpoints[0].id = "a b" }
        try expectProblem("endpoints[0].match: 'GET/a:b' cannot be the id") {
            $0.endpoints = [EndpointRule(match: try RoutePattern("GET /a:b"), limit: .unlimited)]
        }
        try expectProblem("is taken by") {
            $0.classes[1].id = "concurrency"
            for index in $0.tiers.indices { $0.tiers[index].limits = ["read": .unlimited, "concurrency": .unlimited] }
        }
        try expectProblem("permissions.x: expected a name that is used once") {
            $0.permissions = [PermissionRule("x"), PermissionRule("x")]
        }
        try expectProblem("priorities.normal.requires: expected no permission") { $0.priorities = [PriorityRule("normal", requires: "x")] }
    }

    @Test("Every tier gives every class a rate, and no others")
    func tiers() throws {
        try expectProblem("tiers.free.limits: expected a rate for the class 'write'") { $0.tiers[0].limits["write"] = nil }
        try expectProblem("tiers.free.limits.reed: expected the class to be one of 'read', 'write', found 'reed' (did you mean 'read'?)") {
            $0.tiers[0].limits["reed"] = .unlimited
        }
        try expectProblem("tiers: expected at least one tier") {
            $0.tiers = []
            $0.defaultTier = nil
        }
        try expectProblem("permissions.x.limits.reed: expected the class") {
            $0.permissions = [PermissionRule("x", limits: ["reed": .nothing])]
        }
        try expectProblem("permissions.x.endpoints.y: expected the endpoint id") {
            $0.permissions = [PermissionRule("x", endpoints: ["y": .nothing])]
        }
        try expectProblem("permissions.x.limits.read: expected a rate or 'unlimited', found 'custom'") {
            $0.permissions = [PermissionRule("x", limits: ["read": .custom])]
        }
    }

    @Test("Rates can be counted exactly and make sense")
    func rates() throws {
        func rate(_ quota: Quota, _ expected: String) throws {
            try expectProblem("tiers.free.limits.read\(expected)") { $0.tiers[0].limits["read"] = .limited(quota) }
        }
        try rate(Quota(units: 5, per: nil), ": expected a window")
        try rate(Quota(units: 5, per: .seconds(1), algorithm: .fixedWindow, burst: 9), ".burst: expected no burst for fixed_window")
        try rate(Quota(units: 5, per: .seconds(1), algorithm: .tokenBucket, resolution: .seconds(1)), ".resolution: expected no resolution")
        try rate(Quota(units: 5, per: .seconds(1), algorithm: .concurrency), ".algorithm: expected a way to count units")
        try rate(Quota(units: 2, per: .microseconds(1)), ": a limit's window is")
        try rate(Quota(units: 2_000, per: .milliseconds(1)), ": a limit has 2000 units")
        try rate(Quota(units: 20_000, per: .seconds(3_600), resolution: .zero), ": a log of 20000 units")
        try expectProblem("tiers.free.concurrency: a concurrency limit is") { $0.tiers[0].concurrency = .slots(.init(1_000_000)) }
        try expectProblem("tiers.free.concurrency: a lease's time") { $0.tiers[0].concurrency = .custom(.init(lease: .zero)) }
        try expectProblem("algorithm: expected a way to count units") { $0.algorithm = .concurrency }
    }

    @Test("Limits stay exact when they are multiplied, in every tier and with every permission")
    func multiplied() throws {
        try expectProblem("endpoints[0].limit: multiplied for tier 'pro': a limit has") {
            $0.endpoints[0].limit = .units(1 << 39, per: .seconds(86_400 * 300))
        }
        try expectProblem("endpoints[0].limit: multiplied for tier 'free', less than one unit is left") {
            $0.tiers[0].endpointMultiplier = try Multiplier("0.01")
        }
        try expectProblem("permissions.x: in tier 'free' it leaves less than one unit of 'write'") {
            $0.permissions = [PermissionRule("x", multiplier: try Multiplier("0.04"))]
        }
        try expectProblem("permissions.x: in tier 'free' it makes a limit that cannot be counted: a limit has") {
            $0.tiers[0].limits["read"] = try Rate("100000/hour")
            $0.permissions = [PermissionRule("x", multiplier: 1_000_000)]
        }
    }

    @Test("Every request has one class and at most one endpoint rule")
    func routes() throws {
        try expectProblem("classes: expected a class for every request, found none for 'PATCH /'") {
            $0.classes[1].match = [try RoutePattern("POST /**")]
        }
        try expectProblem(
            "endpoints[1].match: expected one most specific rule for every request, found a tie for 'GET /items' between "
                + "'GET /items/*' (endpoints[0]) and 'GET /items/**' (endpoints[1])"
        ) {
            $0.endpoints.append(EndpointRule(match: try RoutePattern("GET /items/**"), limit: .unlimited))
        }
        try expectProblem("endpoints[1].match: expected one most specific rule") { $0.endpoints.append($0.endpoints[0]) }
        try expectProblem("classes.write.match: expected at least one pattern") {
            $0.classes[0].match = [try RoutePattern("* /**")]
            $0.classes[1].match = []
        }
        let none = try problems { $0.classes = [] }
        #expect(none.contains { $0.hasPrefix("classes: expected at least one class") })
        try expectProblem("base_path: expected a path such as /v2") { $0.basePath = "v2" }
    }

    @Test("All problems are reported at once")
    func together() throws {
        let problems = try problems {
            $0.name = ""
            $0.basePath = "v2"
            $0.defaultTier = "gold"
            $0.tiers[0].limits["write"] = nil
            $0.endpoints.append($0.endpoints[0])
        }
        #expect(problems.count == 5, "\(problems)")
    }
}
