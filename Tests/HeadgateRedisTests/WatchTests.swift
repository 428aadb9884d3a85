import Headgate
import Testing

@testable import HeadgateRedis

@Suite("What a store sees of its server", .serialized)
struct WatchTests {
    private static func watching(_ redis: PrivateRedis, _ change: (inout RedisConfiguration) -> Void = { _ in }) -> RedisConfiguration {
        var configuration = configuration(redis.socket)
        configuration.looksAtServer = true
        change(&configuration)
        return configuration
    }

    /// Why a store refuses to decide; `nil` when it decides.
    private static func refusal(_ store: RedisStore) async throws -> LimiterError? {
        let charge = try Charge.counted("acme")
        do throws(LimiterError) { _ = try await store.take(charge) } catch { return error }
        return nil
    }

    @Test("Instances know of each other, and an instance that has ended is forgotten after some seconds")
    func instances() async throws {
        try await withRedis { redis in
            try await withStore(Self.watching(redis)) { one in
                #expect(try await eventually { one.instances == 1 })
                try await withStore(Self.watching(redis)) { two in
                    let areTwo = try await eventually { one.instances == 2 && two.instances == 2 }
                    #expect(areTwo)
                }
                #expect(one.instances == 2)
                #expect(try await eventually(within: .seconds(12)) { one.instances == 1 })
            }
        }
    }

    @Test("Two instances without Redis admit the limit together, and keep to the number that they knew")
    func shares() async throws {
        try await withRedis { redis in
            try await withStore(Self.watching(redis)) { one in
                try await withStore(Self.watching(redis)) { two in
                    #expect(try await eventually { one.instances == 2 && two.instances == 2 })
                    redis.kill9()
                    let limit = try Limit("local", .slidingWindowLog(10, per: .seconds(3_600)), onRedisFailure: .local)
                    let identity = try Identity(.account, "acme")
                    var admitted: [Int] = []
                    for limiter in [Limiter(store: one), Limiter(store: two)] {
                        var count = 0
                        for _ in 0..<20 {
                            let decision = try await limiter.acquire(for: identity, limits: [limit])
                            #expect(decision.degradedBy == .local)
                            count += decision.isAllowed ? 1 : 0
                        }
                        admitted.append(count)
                    }
                    #expect(admitted == [5, 5])
                    #expect(one.instances == 2 && two.instances == 2)
                }
            }
        }
    }

    @Test("A strict store makes no decisions on a server that may evict counts, and does on the same one when it does not")
    func strict() async throws {
        try await withRedis(["--maxmemory-policy", "volatile-lru"]) { redis in
            try await withStore(Self.watching(redis) { $0.strictBackend = true }) { store in
                #expect(try await Self.refusal(store)?.code == .unsafeEviction)
                #expect(try await eventually { try await Self.refusal(store)?.message.contains("volatile-lru") == true })
                try redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
                #expect(try await eventually { try await Self.refusal(store) == nil })
            }
            try redis.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
            try await withStore(Self.watching(redis)) { store in
                let refusal = try await Self.refusal(store)
                #expect(refusal == nil)
            }
        }
    }

    @Test(
        "What the user may not do is named",
        arguments: [(["-zcard"], "+zcard"), (["-lset", "-role"], "+role +lset"), (["resetkeys", "~other:*"], "~hg:*")]
    )
    func access(_ rules: [String], _ named: String) async throws {
        try await withRedis { redis in
            try redis.cli(["ACL", "SETUSER", "limiter"] + rules)
            try await withStore(Self.watching(redis)) { store in
                let isNamed = try await eventually {
                    let refusal = try await Self.refusal(store)
                    return refusal?.code == .permission && refusal?.message.contains(named) == true
                }
                #expect(isNamed)
            }
        }
    }

    @Test("A user who may not ask for INFO decides all the same, but not for a strict store, which says why")
    func info() async throws {
        try await withRedis { redis in
            try redis.cli("ACL", "SETUSER", "limiter", "-info")
            try await withStore(Self.watching(redis)) { store in
                try await Task.sleep(for: .milliseconds(700))
                #expect(try await store.take(try Charge.counted("acme")).granted == 1)
            }
            try await withStore(Self.watching(redis) { $0.strictBackend = true }) { store in
                let isNamed = try await eventually { try await Self.refusal(store)?.message.contains("+info") == true }
                #expect(isNamed)
            }
        }
    }
}
