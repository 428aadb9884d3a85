import Headgate
import HeadgatePolicy
import Testing

@Suite("Overrides, permissions and priorities")
struct PersonalLimitsTests {
    @Test("An account's own limit takes the place of its tier's, counted as before")
    func overrides() throws {
        let policy = try Samples.policy {
            $0.tiers[0].limits["read"] = .limited(Quota(units: 10, per: .seconds(1), algorithm: .tokenBucket, burst: 50, mode: .shadow))
            $0.tiers[0].concurrency = .slots(.init(2))
        }
        let own: [String: LimitOverride] = [
            "read": .units(20, per: .seconds(1)), "concurrency": .slots(7), "GET/items/*": .units(9, per: .seconds(60)),
            "other": .unlimited,
        ]
        let request = try Samples.request("GET", "/items", overrides: own)
        #expect(try policy.short(request) == ["read 20 burst 100", "GET/items/* 9/60", "concurrency 7"])
        #expect(try policy.limits(for: request)[0].charge?.limit.mode == .shadow)
        #expect(try policy.short(Samples.request(overrides: ["read": .units(20, per: .seconds(60))]))[0] == "read 20 burst 20")
        #expect(
            try policy.short(Samples.request(overrides: ["read": .unlimited, "concurrency": .unlimited])) == [
                "read unlimited", "concurrency unlimited",
            ]
        )
        // The endpoint multiplier comes after the account's own limit.
        #expect(try policy.short(Samples.request("GET", "/items", tier: "pro", overrides: own))[1] == "GET/items/* 45/60")
        // A tier without concurrency gets the account's own.
        #expect(
            try policy.short(Samples.request(tier: "pro", overrides: ["concurrency": .slots(4)])) == ["read 1000/3600", "concurrency 4"]
        )
    }

    @Test("An override of the wrong kind, or one that cannot be counted, is an error")
    func badOverrides() throws {
        let policy = try Samples.policy { $0.tiers[0].concurrency = .slots(.init(2)) }
        for own: [String: LimitOverride] in [
            ["read": .slots(1)], ["concurrency": .units(1, per: .seconds(1))], ["read": .units(2, per: .microseconds(1))],
        ] {
            let error = #expect(throws: LimiterError.self) { try policy.limits(for: Samples.request(overrides: own)) }
            #expect(error?.code == .invalidLimit)
        }
    }

    private func policy() throws -> Policy {
        try Samples.policy {
            $0.tiers[0].limits["write"] = .limited(Quota(units: 20, per: .seconds(3_600), algorithm: .fixedWindow, onRedisFailure: .closed))
            $0.tiers[1].limits["write"] = .unlimited
            $0.permissions = [
                PermissionRule("read-only", limits: ["write": .nothing]),
                PermissionRule("slow", limits: ["write": try Rate("10/hour")]),
                PermissionRule("daily", limits: ["write": try Rate("100/day")], endpoints: ["GET/items/*": try Rate("2/minute")]),
                PermissionRule("bulk", limits: ["write": .unlimited]),
                PermissionRule("double", multiplier: 2),
                PermissionRule("half", multiplier: try Multiplier("0.5")),
            ]
        }
    }

    @Test(
        "The most restrictive rate of several permissions counts, and multipliers multiply",
        arguments: [
            (["read-only"], "write 0/3600"), (["slow"], "write 10/3600"), (["slow", "daily"], "write@1d 100/86400"),
            (["slow", "bulk"], "write 10/3600"),
            (["bulk"], "write unlimited"), (["daily", "read-only", "bulk"], "write 0/3600"), (["double"], "write 40/3600"),
            (["double", "half"], "write 20/3600"), (["double", "slow"], "write 20/3600"), (["read-only", "double"], "write 0/3600"),
            (["unheard-of"], "write 20/3600"), (["half", "unheard-of"], "write 10/3600"),
        ] as [(Set<String>, String)]
    )
    func permissions(_ names: Set<String>, _ expected: String) throws {
        #expect(try policy().short(Samples.request("POST", permissions: names)) == [expected])
    }

    @Test("Keys that count over another time than the account's other keys are counted apart, and leave their count whole")
    func countedApart() async throws {
        let limiter = Limiter(store: MemoryStore(), rules: try policy())
        func post(_ permissions: Set<String>) async throws -> Decision {
            let subject = Subject(try Identity(.account, "acme"), tier: "free", permissions: permissions)
            return try await limiter.acquire(for: subject, on: Endpoint(method: "POST", path: "/v2/items"))
        }
        for _ in 0..<20 { #expect(try await post([]).isAllowed) }
        #expect(try await post(["daily"]).limits[0].id == "write@1d")
        #expect(try await post(["read-only"]).isPermanent)
        #expect(try await post([]).outcome == .denied)
    }

    @Test("A permission's rate counts like the limit that it replaces")
    func permissionInherits() throws {
        let limit = try policy().limits(for: Samples.request("POST", permissions: ["slow"]))[0].charge?.limit
        #expect(limit?.algorithm.name == .fixedWindow && limit?.onRedisFailure == .closed)
        #expect(try policy().short(Samples.request("POST", tier: "pro", permissions: ["read-only"])) == ["write 0/3600"])
    }

    @Test("Permissions hold for endpoint limits, before the tier's multiplier")
    func permissionEndpoints() throws {
        #expect(
            try policy().short(Samples.request("GET", "/items", tier: "pro", permissions: ["daily"])) == [
                "read 1000/3600", "GET/items/*@1m 10/60",
            ]
        )
        #expect(try policy().short(Samples.request("GET", "/items", permissions: ["half"])) == ["read 50/3600", "GET/items/* 25/3600"])
    }

    @Test("Concurrency is never multiplied")
    func concurrency() throws {
        let policy = try Samples.policy {
            $0.tiers[1].concurrency = .slots(.init(3))
            $0.permissions = [PermissionRule("double", multiplier: 2)]
        }
        #expect(try policy.short(Samples.request(tier: "pro", permissions: ["double"])) == ["read 2000/3600", "concurrency 3"])
    }

    @Test("A priority's reserve is kept back from every limit; without right or name a request is normal")
    func priorities() throws {
        let policy = try Samples.policy {
            $0.tiers[0].concurrency = .slots(.init(12))
            $0.priorities = [
                PriorityRule("high", requires: "priority"), PriorityRule("normal", reserve: 10), PriorityRule("low", reserve: 25),
            ]
        }
        func reserves(_ priority: Priority, _ permissions: Set<String> = []) throws -> [Int64?] {
            try policy.limits(for: Samples.request("GET", "/items", permissions: permissions, priority: priority)).map {
                $0.charge?.reserve
            }
        }
        #expect(try reserves("low") == [25, 12, 3])
        #expect(try reserves("normal") == [10, 5, 1])
        #expect(try reserves("high") == [10, 5, 1])
        #expect(try reserves("high", ["priority"]) == [0, 0, 0])
        #expect(try reserves("urgent") == [10, 5, 1])
        #expect(try Samples.policy().limits(for: Samples.request(priority: "low"))[0].charge?.reserve == 0)
    }
}
