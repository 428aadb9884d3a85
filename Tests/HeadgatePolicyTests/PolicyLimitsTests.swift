import Headgate
import HeadgatePolicy
import Testing

@Suite("The limits of a request")
struct PolicyLimitsTests {
    @Test("Class, endpoint and concurrency come in this order, with their names and roles")
    func order() throws {
        let policy = try Samples.policy {
            $0.classes[0].name = "read_operations"
            $0.tiers[0].concurrency = .slots(.init(3))
        }
        let limits = try policy.limits(for: Samples.request("GET", "/items/7", cost: 2))
        #expect(limits.map(\.short) == ["read 100/3600", "GET/items/* 50/3600", "concurrency 3"])
        #expect(limits.map(\.name) == ["read_operations", "GET /items/*", "concurrent_requests"])
        #expect(limits.map(\.role) == [.operationClass, .endpoint, .concurrency])
        #expect(limits.map { $0.charge?.cost } == [2, 2, 1])
        #expect(limits.allSatisfy { $0.charge?.identity.tag == "a:acme" })
    }

    @Test("The multiplier is for endpoint limits alone")
    func multiplier() throws {
        #expect(try Samples.policy().short(Samples.request("GET", "/items", tier: "pro")) == ["read 1000/3600", "GET/items/* 250/3600"])
    }

    @Test("HEAD counts as GET, and an unknown method falls to the class for the rest")
    func methods() throws {
        let policy = try Samples.policy()
        #expect(try policy.short(Samples.request("HEAD", "/items/7")) == ["read 100/3600", "GET/items/* 50/3600"])
        #expect(try policy.short(Samples.request("PATCH", "/items/7")) == ["write 20/3600"])
        #expect(try policy.short(Samples.request("OPTIONS", "*")) == ["write 20/3600"])
        #expect(try policy.short(Samples.request("get", "/items/7")) == ["read 100/3600", "GET/items/* 50/3600"])
    }

    @Test("Tiers go by name, by alias, or by default; others are an error that lists them")
    func tiers() throws {
        let policy = try Samples.policy()
        #expect(try policy.short(Samples.request(tier: nil)) == ["read 100/3600"])
        #expect(try policy.short(Samples.request(tier: "plus")) == ["read 1000/3600"])
        let unknown = #expect(throws: LimiterError.self) { try policy.limits(for: Samples.request(tier: "gold")) }
        #expect(unknown?.code == .unknownTier)
        #expect(unknown?.message == "unknown tier 'gold'; expected one of 'free', 'pro'")
        let missing = #expect(throws: LimiterError.self) { try Samples.policy { $0.defaultTier = nil }.limits(for: Samples.request()) }
        #expect(missing?.code == .unknownTier)
        #expect(missing?.message.contains("a tier is required") == true)
        #expect(try Samples.policy { $0.defaultTier = "plus" }.short(Samples.request()) == ["read 1000/3600"])
    }

    @Test("The base path is stripped on segment borders; other paths match as they are")
    func basePath() throws {
        for basePath in ["/v2", "/v2/", "//v2"] {
            let policy = try Samples.policy { $0.basePath = basePath }
            for path in ["/v2/items/7", "/items/7", "/v2/items", "/%762/./items/"] {
                #expect(try policy.short(Samples.request("GET", path)).count == 2, "\(path)")
            }
            for path in ["/v22/items", "/v2items", "/v2", "/v3/items"] {
                #expect(try policy.short(Samples.request("GET", path)).count == 1, "\(path)")
            }
        }
        let policy = try Samples.policy {
            $0.basePath = "/v2"
            $0.endpoints = [EndpointRule(match: try RoutePattern("GET /"), limit: try Rate("5/day"))]
        }
        #expect(try policy.short(Samples.request("GET", "/v2?x")) == ["read 100/3600", "GET/ 5/86400"])
        #expect(try policy.short(Samples.request("GET", "/V2")).count == 1)
    }

    @Test("Without case, base path and rules match in any case")
    func caseInsensitive() throws {
        let policy = try Samples.policy {
            $0.caseSensitive = false
            $0.basePath = "/V2"
        }
        #expect(try policy.short(Samples.request("GET", "/v2/ITEMS")).count == 2)
    }

    @Test("A path that cannot be read is an error before anything else")
    func invalidPath() throws {
        let error = #expect(throws: LimiterError.self) { try Samples.policy().limits(for: Samples.request("GET", "/a%2Fb", tier: "gold")) }
        #expect(error?.code == .invalidPath)
    }

    @Test("Unlimited is reported without a charge")
    func unlimited() throws {
        let policy = try Samples.policy {
            $0.tiers[0].limits["read"] = .unlimited
            $0.tiers[0].concurrency = .unlimited
        }
        #expect(try policy.short(Samples.request()) == ["read unlimited", "concurrency unlimited"])
    }

    @Test("Custom takes the account's own limit, and is an error without it")
    func custom() throws {
        let policy = try Samples.policy {
            $0.tiers[0].limits["read"] = .custom
            $0.tiers[0].concurrency = .custom()
        }
        let own: [String: LimitOverride] = ["read": .units(7, per: .seconds(60)), "concurrency": .slots(9)]
        #expect(try policy.short(Samples.request(overrides: own)) == ["read 7/60", "concurrency 9"])
        for missing in ["read", "concurrency"] {
            let error = #expect(throws: LimiterError.self) {
                try policy.limits(for: Samples.request(overrides: own.filter { $0.key != missing }))
            }
            #expect(error?.code == .customLimitMissing)
            #expect(error?.message.contains("'\(missing)'") == true && error?.message.contains("'free'") == true)
        }
        #expect(throws: LimiterError.self) { try policy.limits(for: Samples.request()) }
        // Permissions do not stand in for it.
        #expect(throws: LimiterError.self) { try policy.limits(of: Subject.account("acme")) }
        #expect(try policy.short(Samples.request("POST", overrides: own)) == ["write 20/3600", "concurrency 9"])
    }

    @Test("What a limit does not say is the policy's; what it says is its own")
    func defaults() throws {
        let policy = try Samples.policy {
            $0.algorithm = .fixedWindow
            $0.onRedisFailure = .closed
            $0.tiers[0].limits["write"] = .limited(
                Quota(units: 5, per: .seconds(60), algorithm: .slidingWindowCounter, onRedisFailure: .open, mode: .shadow)
            )
            $0.tiers[1].limits["write"] = try Rate("10/second burst 50")
            $0.tiers[1].concurrency = .slots(.init(4, terms: .init(lease: .seconds(9), mode: .shadow)))
        }
        let read = try policy.limits(for: Samples.request())[0].charge?.limit
        #expect(read?.algorithm.name == .fixedWindow && read?.onRedisFailure == .closed && read?.mode == .enforced)
        let write = try policy.limits(for: Samples.request("POST"))[0].charge?.limit
        #expect(write?.algorithm.name == .slidingWindowCounter && write?.onRedisFailure == .open && write?.mode == .shadow)
        let pro = try policy.limits(for: Samples.request("POST", tier: "pro"))
        #expect(try pro[0].charge?.limit.algorithm == .tokenBucket(10, per: .seconds(1), burst: 50))
        #expect(
            try pro[1].charge?.limit
                == Limit("concurrency", .concurrency(4, timeToLive: .seconds(9)), onRedisFailure: .closed, mode: .shadow)
        )
    }

    @Test("Multiplying scales a bucket's burst, rounds down once, and gives the log the resolution of what comes out")
    func scaling() throws {
        let policy = try Samples.policy {
            $0.tiers[1].endpointMultiplier = try Multiplier("1.5")
            $0.endpoints = [
                EndpointRule(match: try RoutePattern("GET /bucket"), limit: try Rate("3/second burst 7")),
                EndpointRule(match: try RoutePattern("GET /log"), limit: try Rate("900/hour")),
            ]
        }
        #expect(try policy.short(Samples.request("GET", "/bucket", tier: "pro"))[1] == "GET/bucket 4 burst 10")
        let log = try policy.limits(for: Samples.request("GET", "/log", tier: "pro"))[1].charge?.limit
        #expect(try log?.algorithm == .slidingWindowLog(1_350, per: .seconds(3_600)))
        #expect(log?.algorithm.slot == 3_600_000)
    }

    @Test("All limits of a subject: every class, every endpoint rule, concurrency")
    func ofSubject() throws {
        let policy = try Samples.policy { $0.tiers[0].concurrency = .slots(.init(3)) }
        #expect(try policy.limits(of: Subject.account("acme")).map(\.id) == ["read", "write", "GET/items/*", "concurrency"])
    }
}
