import Headgate
import HeadgateRedis
import HeadgateTesting
import TestSupport
import Testing

@testable import HeadgateUsage

@Suite("Usage in a real Redis", .serialized, .exclusive)
struct UsageRedisTests {
    @Test("is the sum of what all instances recorded; each key has a time to live, and recording sends nothing")
    func twoInstances() async throws {
        try await withRedisServer { server in
            try await withStore(server) { watcher in
                let reader = UsageReader(watcher)
                let now = try await reader.now()
                let stores = [try RedisStore.of(server), try RedisStore.of(server)]
                // Nothing is flushed before the shutdown.
                let recorders = stores.map { UsageRecorder($0, interval: .seconds(3_600)) }
                try await withServices(stores + recorders) {
                    // Connections greet the server when they are made; after that nobody has anything to say.
                    #expect(
                        try await eventually {
                            let calls = try await watcher.calls()
                            try await Task.sleep(for: .milliseconds(100))
                            return try await watcher.calls() == calls && calls["script|load"] == 6
                        }
                    )
                    let before = try await watcher.calls()
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for recorder in recorders {
                            group.addTask {
                                for turn in 0..<5_000 {
                                    let outcome: Decision.Outcome = turn % 5 == 0 ? .denied : .allowed
                                    recorder.record(try decision(outcome, endpoint: "POST/clusters", at: now), for: try .acme())
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    let after = try await watcher.calls()
                    #expect(after == before)
                    #expect(try await watcher.keys() == [])
                }
                let report = try await reader.report(for: .acme(), period: .parse("1h"))
                #expect(report.totals == UsageCounts(allowed: 8_000, denied: 2_000))
                #expect(report.deniedByLimit == ["POST/clusters": 2_000])
                for resolution in UsageResolution.allCases {
                    let key = resolution.key(of: try .acme(), at: now, prefix: "hg")
                    #expect(try await watcher.number(key, "allowed write POST/clusters") == 8_000)
                    let life = Duration.milliseconds(try await watcher.command(["PTTL", key]).integer ?? -1)
                    #expect(life > resolution.timeToLive - .seconds(60) && life <= resolution.timeToLive)
                }
                #expect(try await watcher.keys().count == 3)
            }
        }
    }

    @Test("loses nothing that certainly did not run, over a Redis that is killed and comes back")
    func restart() async throws {
        try await withRedisServer { server in
            try await withStore(server) { watcher in
                let store = try RedisStore.of(server)
                let recorder = UsageRecorder(store, interval: .milliseconds(50))
                try await withServices([store, recorder]) {
                    _ = try await store.command(["PING"])
                    server.kill()
                    // What is on its way when the server dies may have run; this is about what comes later.
                    #expect(try await eventually { (try? await store.command(["PING"])) == nil })
                    for _ in 0..<500 { recorder.record(try decision(), for: try .acme()) }
                    try await Task.sleep(for: .milliseconds(300))
                    #expect(recorder.waiting == 1)
                    try await server.restart()
                    for _ in 0..<500 { recorder.record(try decision(), for: try .acme()) }
                }
                #expect(recorder.waiting == 0)
                let key = UsageResolution.minute.key(of: try .acme(), at: .sample, prefix: "hg")
                #expect(try await eventually { (try? await watcher.number(key, "allowed write")) == 1_000 })
            }
        }
    }

    @Test("is repaired where a time to live is missing, or something else stands in its place")
    func repairs() async throws {
        try await withRedisServer { server in
            let acme = try Identity.acme()
            let keys = UsageResolution.allCases.map { $0.key(of: acme, at: .sample, prefix: "hg") }
            try await withStore(server) { store in
                _ = try await store.command(["HSET", keys[0], "allowed write", "7"])
                _ = try await store.command(["HSET", keys[1], "allowed write", "many", "allowed read", "2"])
                _ = try await store.command(["SET", keys[2], "text"])
                let recorder = UsageRecorder(store)
                recorder.record(try decision(), for: try .acme())
                #expect(await recorder.flush(after: .good) == .good)
                #expect(try await store.number(keys[0], "allowed write") == 8)
                #expect(try await store.number(keys[1], "allowed write") == 1)
                #expect(try await store.number(keys[1], "allowed read") == 2)
                #expect(try await store.number(keys[2], "allowed write") == 1)
                for key in keys { #expect(try await store.command(["PTTL", key]).integer ?? -1 > 0) }
                // A write that Redis has no memory for is tried again.
                _ = try await store.command(["CONFIG", "SET", "maxmemory", "1"])
                recorder.record(try decision(), for: try .acme())
                #expect(await recorder.flush(after: .good) == .bad)
                #expect(recorder.waiting == 1)
                _ = try await store.command(["CONFIG", "SET", "maxmemory", "0"])
                #expect(await recorder.flush(after: .bad) == .good)
                #expect(try await store.number(keys[0], "allowed write") == 9)
            }
        }
    }

    @Test("is read over an hour, a day, a week, a month and between instants")
    func reports() async throws {
        try await withRedisServer { server in
            try await withStore(server) { store in
                let now = try StoreTime.at("2026-11-24T21:45:30Z")
                let hashes = [
                    "minute-2026-11-24T20.45": "allowed read 1", "minute-2026-11-24T21.45": "denied read by read 2",
                    "minute-2026-11-24T20.44": "allowed read 64",
                    "hour-2026-11-23T21": "allowed read 3", "hour-2026-11-23T20": "allowed read 64",
                    "hour-2026-11-24T21": "degraded read 4",
                    "day-2026-10-25": "allowed read 5", "day-2026-11-24": "allowed write POST/clusters 6",
                    "day-2026-10-24": "allowed read 64",
                ]
                for (name, text) in hashes {
                    let words = text.split(separator: " ")
                    let field = words.dropLast().joined(separator: " ")
                    _ = try await store.command(["HSET", "hg:{a:acme}:usage-\(name)", field, String(words[words.count - 1])])
                }
                _ = try await store.command(["SET", "hg:{a:acme}:usage-minute-2026-11-24T21.00", "text"])
                let reader = UsageReader(store)
                func report(_ period: UsagePeriod) async throws -> UsageReport {
                    try await reader.report(for: try .acme(), period: period, now: now)
                }
                let hour = try await report(.parse("1h"))
                #expect(hour.totals == UsageCounts(allowed: 1, denied: 2))
                #expect(hour.series.count == 61 && hour.series.filter { $0.counts.total > 0 }.count == 2)
                #expect(hour.from == (try .at("2026-11-24T20:45:00Z")) && hour.to == now)
                #expect(try await report(.parse("24h")).totals == UsageCounts(allowed: 3, degraded: 4))
                #expect(try await report(.parse("7d")).totals == UsageCounts(allowed: 67, degraded: 4))
                let month = try await report(.parse("30d"))
                #expect(month.totals == UsageCounts(allowed: 11))
                #expect(month.byEndpoint == ["POST/clusters": UsageCounts(allowed: 6)])
                let between = try await report(UsagePeriod(from: .at("2026-10-25T00:00:00Z"), to: .at("2026-10-26T00:00:00Z")))
                #expect(between.totals == UsageCounts(allowed: 5) && between.series.count == 1)
                let nobody = try await reader.report(for: Identity(.account, "nobody"), period: .parse("24h"), now: now)
                #expect(nobody.totals == UsageCounts() && nobody.series.count == 25)
            }
        }
    }
}
