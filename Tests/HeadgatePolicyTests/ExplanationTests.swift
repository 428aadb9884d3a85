import Headgate
import HeadgatePolicy
import Testing

@Suite("Explanations")
struct ExplanationTests {
    private func policy() throws -> Policy {
        try Samples.policy {
            $0.basePath = "/v2"
            $0.tiers[1].concurrency = .slots(.init(3))
            $0.permissions = [PermissionRule("half", limits: ["read": try Rate("80/hour")], multiplier: try Multiplier("0.5"))]
            $0.priorities = [PriorityRule("high", requires: "vip"), PriorityRule("low", reserve: 20)]
        }
    }

    @Test("Says what matched and what made each limit")
    func steps() throws {
        let request = try Samples.request(
            "GET",
            "/v2//items/7?x",
            tier: "plus",
            permissions: ["half", "odd"],
            overrides: ["read": .units(60, per: .seconds(60))],
            priority: "high"
        )
        let explanation = try policy().explain(request)
        #expect(explanation.path.text == "/v2/items/7" && explanation.routePath == "/items/7" && explanation.basePath == .stripped)
        #expect(explanation.tier == "pro" && explanation.requestedTier == "plus")
        #expect(explanation.operationClass.id == "read" && explanation.operationClass.pattern.description == "GET /**")
        #expect(explanation.endpoint?.id == "GET/items/*")
        #expect(explanation.priority.name == "normal" && explanation.priorityRefusal == .permissionMissing("vip"))
        #expect(explanation.unknownPermissions == ["odd"])
        let steps = explanation.limits.map(\.steps)
        let half = try Multiplier("0.5")
        #expect(
            try steps == [
                [
                    .tier("pro", Rate("1000/hour")), .accountOverride(.units(60, per: .seconds(60))), .permission("half", Rate("80/hour")),
                    .permissionMultiplier("half", half),
                ],
                [.endpoint(Rate("50/hour")), .permissionMultiplier("half", half), .endpointMultiplier("pro", 5)],
                [.slots("pro", .slots(.init(3)))],
            ]
        )
        #expect(try explanation.limits.map(\.applied) == policy().limits(for: request))
        #expect(
            explanation.description == """
                GET /v2/items/7
                  matched as  /items/7, below the base path
                  tier        pro, known as plus
                  class       read, by GET /**
                  endpoint    GET/items/*, by GET /items/*
                  priority    normal, reserve 0%; 'high' takes the permission 'vip'
                  permissions 'odd': not in the policy, nothing changes
                  limit       read@1h: 40 per 1h, sliding_window_log, on Redis failure open
                              - tier 'pro' gives 1000/hour
                              - the account's own limit is 60/minute
                              - permission 'half' makes it 80/hour
                              - permission 'half' multiplies by 0.5
                  limit       GET/items/*: 125 per 1h, sliding_window_log, on Redis failure open
                              - the endpoint rule gives 50/hour
                              - permission 'half' multiplies by 0.5
                              - tier 'pro' multiplies endpoint limits by 5
                  limit       concurrency: 3 at the same time, concurrency, on Redis failure open
                              - tier 'pro' gives 3 at once, leases of 30s
                """
        )
    }

    @Test("Says what limits(for:) says, for requests of all kinds")
    func agrees() throws {
        for path in ["/v2/items", "/items", "/", "*"] {
            for tier in ["free", "pro"] {
                for permissions: Set<String> in [[], ["half"], ["odd"], ["vip"]] {
                    for priority: Priority in ["normal", "high", "low", "odd"] {
                        let request = try Samples.request("GET", path, tier: tier, permissions: permissions, priority: priority)
                        #expect(try policy().explain(request).limits.map(\.applied) == policy().limits(for: request))
                    }
                }
            }
        }
    }

    @Test("Throws what limits(for:) throws")
    func errors() throws {
        let error = #expect(throws: LimiterError.self) { try policy().explain(Samples.request(tier: "gold")) }
        #expect(error?.code == .unknownTier)
    }
}
