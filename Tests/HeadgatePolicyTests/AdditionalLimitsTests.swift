import Headgate
import HeadgatePolicy
import Testing

@Suite("Limits per key, address and permission; costs, refunds and boosts")
struct AdditionalLimitsTests {
    private func policy() throws -> Policy {
        try Samples.policy {
            $0.limits = [
                LimitRule("each-key", limit: try Rate("10/minute"), scope: .key),
                LimitRule("each-address", match: [try RoutePattern("POST /**")], limit: try Rate("30/minute"), scope: .address),
                LimitRule("everybody", match: [try RoutePattern("* /ai/**")], limit: try Rate("1000/second"), scope: .global),
            ]
            $0.permissions = [
                PermissionRule("ci", additions: [LimitRule("builds", match: [try RoutePattern("POST /builds")], limit: try Rate("5/hour"))])
            ]
            $0.endpoints += [
                EndpointRule(match: try RoutePattern("POST /batch"), limit: nil, cost: .units(5)),
                EndpointRule(match: try RoutePattern("POST /tokens"), limit: nil, cost: .header(.init("X-Tokens", fallback: 2, most: 50))),
                EndpointRule(match: try RoutePattern("GET /cheap"), limit: nil, refundOn: [.exact(404)]),
            ]
            $0.refundOn = [.exact(304), .hundred(5)]
        }
    }

    private func request(
        _ method: String,
        _ path: String,
        key: String? = "k1",
        permissions: Set<String> = [],
        cost: Cost = .ofEndpoint
    ) throws -> LimitRequest {
        let subject = Subject(
            try Identity(.account, "acme"),
            permissions: permissions,
            key: key,
            address: try Identity(.address, "203.0.113.7")
        )
        return LimitRequest(subject: subject, endpoint: Endpoint(method: method, path: path), cost: cost)
    }

    @Test("Every additional limit that matches counts, under its own identity, between endpoint and concurrency")
    func scopes() throws {
        let limits = try policy().limits(for: request("POST", "/ai/chat"))
        #expect(limits.map(\.id) == ["write", "each-key", "each-address", "everybody"])
        #expect(limits.compactMap(\.charge?.limit.id) == ["write", "each-key~k1", "each-address", "everybody"])
        #expect(limits.compactMap(\.charge?.identity.tag) == ["a:acme", "a:acme", "i:203.0.113.7", "g:all"])
        #expect(try policy().limits(for: request("GET", "/x")).map(\.id) == ["read", "each-key"])
        // Without a key the account is counted: never nobody.
        #expect(try policy().limits(for: request("GET", "/x", key: nil))[1].charge?.limit.id == "each-key")
        let odd = try policy().limits(for: request("GET", "/x", key: "a:b}"))[1].charge
        #expect(odd?.limit.id.hasPrefix("each-key~#") == true)
    }

    @Test("Two keys of an account share its counts, and have those per key for themselves")
    func keysShare() async throws {
        let limiter = Limiter(store: MemoryStore(), rules: try policy())
        func ask(_ key: String) async throws -> Decision { try await limiter.acquire(all: [try request("GET", "/x", key: key)]) }
        for _ in 0..<10 { #expect(try await ask("k1").isAllowed) }
        #expect(try await ask("k1").bindingLimit?.id == "each-key")
        let other = try await ask("k2")
        #expect(other.isAllowed)
        #expect(other.limits.map(\.remaining) == [89, 9])
    }

    @Test("A permission adds its limits to its keys alone")
    func additions() throws {
        #expect(try policy().limits(for: request("POST", "/builds", permissions: ["ci"])).map(\.id).contains("builds"))
        #expect(try !policy().limits(for: request("POST", "/builds")).map(\.id).contains("builds"))
        #expect(try policy().knownPermissions == ["ci", "boost"])
    }

    @Test("A request costs what its endpoint's rule says, unless the caller says it")
    func costs() throws {
        #expect(try policy().limits(for: request("POST", "/batch")).map(\.charge?.cost) == [5, 5, 5])
        #expect(try policy().limits(for: request("POST", "/batch", cost: 3)).map(\.charge?.cost) == [3, 3, 3])
        #expect(try policy().limits(for: request("POST", "/tokens"))[0].charge?.cost == 2)
        #expect(try policy().cost(of: Endpoint(method: "POST", path: "/batch")) == .units(5))
        #expect(try policy().cost(of: Endpoint(method: "GET", path: "/x")) == .units(1))
    }

    @Test("Anybody may make a request dearer, and only the service cheaper")
    func headerCosts() throws {
        let cost = try policy().cost(of: Endpoint(method: "POST", path: "/tokens"))
        #expect(try cost.units(of: [], trust: .client) == 2)
        #expect(try cost.units(of: ["1"], trust: .client) == 2)
        #expect(try cost.units(of: ["1"], trust: .service) == 1)
        #expect(try cost.units(of: ["40"], trust: .client) == 40)
        for bad in [["0"], ["51"], ["-1"], ["1e3"], ["1", "1"], [" 1"], ["99999999999999999999"]] {
            let error = #expect(throws: LimiterError.self) { try cost.units(of: bad, trust: .service) }
            #expect(error?.code == .badRequest && error?.message.contains("X-Tokens") == true)
        }
    }

    @Test("An endpoint's refunds take the place of the policy's")
    func refunds() throws {
        let policy = try policy()
        func refunded(_ path: String, _ status: Int) throws -> Bool {
            try policy.refunds(of: Endpoint(method: "GET", path: path)).contains { $0.matches(status) }
        }
        #expect(try refunded("/x", 304) && refunded("/x", 503) && !refunded("/x", 404) && !refunded("/x", 200))
        #expect(try refunded("/cheap", 404) && !refunded("/cheap", 304))
        #expect(policy.hasRefunds)
    }

    @Test("A boost multiplies class and endpoint limits last, an account's own too, and nothing else")
    func boosts() throws {
        let policy = try Samples.policy {
            $0.tiers[1].concurrency = .slots(.init(3))
            $0.limits = [LimitRule("each-key", limit: try Rate("10/minute"), scope: .key)]
        }
        var request = try Samples.request("GET", "/items", tier: "pro", overrides: ["read": .units(7, per: .seconds(60))])
        request.subject.boost = try Multiplier("1.5")
        #expect(try policy.short(request) == ["read 10/60", "GET/items/* 375/3600", "each-key 10/60", "concurrency 3"])
        request.subject.overrides = ["read": .multiplied(try Multiplier("0.001")), "concurrency": .multiplied(2)]
        #expect(try policy.short(request) == ["read 1/3600", "GET/items/* 375/3600", "each-key 10/60", "concurrency 6"])
    }

    @Test("A boosted log keeps the slots of the plain one, so that it reads its entries as they are")
    func boostedSlots() throws {
        let policy = try Samples.policy {
            $0.tiers[0].limits["read"] = try Rate("1000/hour")
            $0.tiers[0].limits["write"] = try Rate("100000/hour")
        }
        func slot(_ method: String, _ boost: Multiplier) throws -> Int64? {
            var request = try Samples.request(method)
            request.subject.boost = boost
            return try policy.limits(for: request)[0].charge?.limit.algorithm.slot
        }
        #expect(try slot("GET", 1) == 1 && slot("GET", 2) == 1 && slot("GET", 10) == 1)
        #expect(try slot("POST", 1) == slot("POST", 7))
        // 20,000 entries are more than a log may hold: 10,000 slots of an hour.
        #expect(try slot("GET", 20) == 360_000)
    }

    @Test("A denial for want of priority says so")
    func heldBack() async throws {
        let policy = try Samples.policy { $0.priorities = [PriorityRule("low", reserve: 20)] }
        let limiter = Limiter(store: MemoryStore(), rules: policy)
        for _ in 0..<80 { #expect(try await limiter.acquire(all: [try Samples.request(priority: "low")]).isAllowed) }
        let denied = try await limiter.acquire(all: [try Samples.request(priority: "low")])
        #expect(denied.outcome == .denied && denied.bindingLimit?.isHeldBack == true && denied.bindingLimit?.reserve == 20)
        #expect(denied.bindingLimit?.remaining == 20)
        for _ in 0..<20 { #expect(try await limiter.acquire(all: [try Samples.request()]).isAllowed) }
        #expect(try await limiter.acquire(all: [try Samples.request()]).bindingLimit?.isHeldBack == false)
    }
}
