import Headgate
import TestSupport
import Testing

@testable import HeadgateRedis

@Suite("A store on a real Redis", .serialized, .exclusive)
struct RedisStoreTests {
    @Test("Judges, charges, refunds and resets")
    func counts() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                let charge = try Charge.counted("acme", limit: 2)
                let decision = StoreDecision(charges: [charge])
                let reply = try await store.decide([decision, decision, decision])
                #expect(reply.verdicts.map(\.granted) == [1, 1, 0])
                #expect(reply.verdicts.map { $0.readings[0].remaining } == [1, 0, 0])
                #expect(reply.time.microseconds > 1_600_000_000_000_000)
                let stamp = reply.verdicts[0].readings[0].stamp
                let receipt = Receipt(limit: charge.limit, identity: charge.identity, units: 1, stamp: stamp)
                #expect(try await store.refund([receipt]) == [1])
                #expect(try await store.take(charge).granted == 1)
                #expect(try await store.take(charge).granted == 0)
                try await store.reset(charge.identity, [charge.limit])
                #expect(try await store.used(charge) == 0)
                #expect(try redis.cli("KEYS", "hg:{a:*") == "")
            }
        }
    }

    @Test("Judges all algorithms in one call, more decisions than fit one, and large counts")
    func manyDecisions() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                let identity = try Identity(.account, "acme")
                let algorithms: [Algorithm] = [
                    try .slidingWindowLog(10, per: .seconds(60)), try .tokenBucket(10, per: .seconds(60)),
                    try .fixedWindow(10, per: .seconds(60)), try .slidingWindowCounter(10, per: .seconds(60)),
                    try .concurrency(10),
                ]
                let charges = try algorithms.map { Charge(try Limit("all", $0), identity: identity) }
                let verdict = try await store.decide([StoreDecision(charges: charges, leaseID: "one")]).verdicts[0]
                #expect(verdict.granted == 1)
                #expect(verdict.readings.map(\.remaining) == [9, 9, 9, 9, 9])
                #expect(
                    Set(try redis.cli("KEYS", "hg:{a:*").split(separator: "\n").map(String.init))
                        == Set(["log1", "tb1", "fw1", "swc1", "con1"].map { "hg:{a:acme}:all:\($0)" })
                )
                let one = StoreDecision(charges: [try Charge.counted("many")])
                #expect(try await store.decide(Array(repeating: one, count: 200)).verdicts.count == 200)
                let many = StoreDecision(charges: [try Charge.counted("many", limit: 1_000)], count: 5_000)
                #expect(try await store.decide([many]).verdicts[0].granted == 800)
            }
        }
    }

    @Test("Leases are renewed and released; a lost one says so")
    func leases() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                let charge = try Charge.slot("acme", of: 1)
                let lease = Lease(id: "mine", slots: [.init(identity: charge.identity, limit: charge.limit)])
                #expect(try await store.take(charge, leaseID: "mine").granted == 1)
                #expect(try await store.take(charge, leaseID: "other").granted == 0)
                try await store.renew(lease)
                #expect(try await store.release(lease) == .released)
                #expect(try await store.release(lease) == .notHeld)
                await #expect { try await store.renew(lease) } throws: { ($0 as? LimiterError)?.code == .leaseLost }
                #expect(try await store.take(charge, leaseID: "mine").granted == 1)
                store.abandon(lease)
                #expect(try await eventually { try await store.used(charge) == 0 })
            }
        }
    }

    @Test("Other commands get Redis' replies as they are")
    func commands() async throws {
        try await withRedis { redis in
            var configuration = configuration(redis.socket)
            configuration.credentials = nil
            try await withStore(configuration) { store in
                #expect(try await store.command(["RPUSH", "list", "", "b\r\n"]) == .integer(2))
                #expect(try await store.command(["LRANGE", "list", "0", "-1"]) == .array([.bytes([]), .bytes(Array("b\r\n".utf8))]))
                #expect(try await store.command(["GET", "none"]) == .null)
                #expect(try await store.command(["MGET", "none"]) == .array([.null]))
                #expect(try await store.command(["COMMAND", "COUNT"]).integer ?? 0 > 100)
                #expect(try await store.command(["INFO", "server"]).text?.contains("redis_version") == true)
                await #expect { try await store.command(["GET", "list"]) } throws: { ($0 as? LimiterError)?.code == .badRequest }
                await #expect { try await store.command([]) } throws: { ($0 as? LimiterError)?.code == .badRequest }
                #expect(try await store.command(["CLIENT", "LIST"]).text?.contains("name=headgate") == true)
                try await store.probe()
            }
        }
    }

    @Test("What takes of no limit is granted")
    func noCharges() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                let reply = try await store.decide([StoreDecision(charges: [], count: 2)])
                #expect(reply.verdicts == [Verdict(granted: 2, readings: [])])
                let (_, verdict) = try await store.decide(StoreDecision(charges: []))
                #expect(verdict == Verdict(granted: 1, readings: []))
            }
        }
    }

    @Test("TCP, by name and by address, with a user, a password and a database of their own")
    func tcp() async throws {
        let port = Int.random(in: 20_000..<60_000)
        try await withRedis(["--port", "\(port)"]) { redis in
            let rights = ["~hg:*", "+evalsha", "+script|load", "+select", "+@read", "+@write", "+time"]
            try redis.cli(["ACL", "SETUSER", "gate", "on", ">p@ss:w/rd"] + rights)
            for host in ["127.0.0.1", "localhost"] {
                var configuration = try RedisConfiguration(url: "redis://gate:p%40ss%3Aw%2Frd@\(host):\(port)/3")
                configuration.deadline = .seconds(1)
                let charge = try Charge.counted(host)
                let verdict = try await withStore(configuration) { try await $0.take(charge) }
                #expect(verdict.granted == 1)
                #expect(try redis.cli("-n", "3", "KEYS", "*\(host)*") == "hg:{a:\(host)}:count:fw1")
            }
        }
        var configuration = try RedisConfiguration(url: "redis://127.0.0.1:\(port)")
        configuration.deadline = .seconds(1)
        try await withStore(configuration) { store in
            _ = await #expect { try await store.probe() } throws: { ($0 as? LimiterError)?.code == .connect }
        }
    }
}
