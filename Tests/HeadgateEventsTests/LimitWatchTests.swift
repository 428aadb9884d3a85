import Headgate
import HeadgateRedis
import HeadgateTesting
import TestSupport
import Testing

@testable import HeadgateEvents

@Suite("Watches on a real Redis", .serialized, .exclusive)
struct LimitWatchTests {
    @Test("emit one event per threshold and window, however many see it")
    func exactlyOne() async throws {
        try await withRedisServer { server in
            try await withStore(server) { reader in
                let stores = try (0..<3).map { _ in try RedisStore.of(server) }
                let watches = try stores.map { try LimitWatch($0, logger: quiet) }
                try await withServices(stores + watches) {
                    for remaining in stride(from: Int64(9), through: 0, by: -1) {
                        for watch in watches { watch.observe(decision(try status(remaining: remaining)), for: try .acme()) }
                    }
                    for watch in watches {
                        let denied = try status(remaining: 0, verdict: .denied, retryAfter: .seconds(60))
                        for _ in 0..<100 { watch.observe(decision(denied), for: try .acme()) }
                        // Neither of these says anything.
                        watch.observe(decision(try status("write", remaining: 3)), for: try .acme())
                        watch.observe(decision(try status("write", remaining: 0), at: nil), for: try .acme())
                    }
                    #expect(try await eventually { try await reader.events().count == 2 })
                }
                let events = try await reader.events().sorted { $0["percent"] ?? "" > $1["percent"] ?? "" }
                #expect(events.map { $0["type"] } == ["limit.near", "limit.reached"])
                #expect(events.map { $0["used"] } == ["8", "10"])
                #expect(events.allSatisfy { $0["account"] == "acme" && $0["limit"] == "read_operations" })
                let life = try await reader.command(["PTTL", "hg:{a:acme}:event-80-read"]).integer ?? 0
                #expect(life > 3_500_000 && life <= 3_600_000)
            }
        }
    }

    @Test("emit again in the next window, though another instance was the first in this one")
    func nextWindow() async throws {
        try await withRedisServer { server in
            try await withStore(server) { reader in
                let stores = [try RedisStore.of(server), try RedisStore.of(server)]
                let watches = try stores.map { try LimitWatch($0, thresholds: [100], logger: quiet) }
                try await withServices(stores + watches) {
                    let reached = decision(try status(remaining: 0, window: .milliseconds(1_000)))
                    watches[0].observe(reached, for: try .acme())
                    #expect(try await eventually { try await reader.events().count == 1 })
                    try await Task.sleep(for: .milliseconds(500))
                    watches[1].observe(reached, for: try .acme())
                    // A second after the first event, and not after this sight, it may be told again.
                    try await Task.sleep(for: .milliseconds(700))
                    watches[1].observe(reached, for: try .acme())
                    #expect(try await eventually(within: .milliseconds(600)) { try await reader.events().count == 2 })
                }
            }
        }
    }

    @Test("keep what Redis, being away, certainly did not take; at shutdown the last is emitted")
    func away() async throws {
        try await withRedisServer { server in
            try await withStore(server) { reader in
                let store = try RedisStore.of(server)
                let watch = try LimitWatch(store, thresholds: [100], logger: quiet)
                try await withServices([store, watch]) {
                    _ = try await store.command(["PING"])
                    server.kill()
                    #expect(try await eventually { (try? await store.command(["PING"])) == nil })
                    watch.observe(decision(try status(remaining: 0)), for: try .acme())
                    try await Task.sleep(for: .milliseconds(500))
                    try await server.restart()
                    #expect(try await eventually { (try? await reader.events().count) == 1 })
                    watch.observe(decision(try status("write", remaining: 0)), for: try .acme())
                }
                #expect(try await reader.events().count == 2)
            }
        }
    }

    @Test("try an event again that is theirs to emit, without asking whose it is")
    func claimed() async throws {
        try await withRedisServer { server in
            try await withStore(server) { store in
                _ = try await store.command(["ACL", "SETUSER", "default", "-xadd"])
                let watch = try LimitWatch(store, thresholds: [100], logger: quiet)
                watch.observe(decision(try status(remaining: 0)), for: try .acme())
                await watch.emitWaiting()
                #expect(try await store.command(["GET", "hg:{a:acme}:event-100-read"]).text == "1")
                #expect(watch.waiting == 1)
                _ = try await store.command(["ACL", "SETUSER", "default", "+xadd"])
                await watch.emitWaiting()
                #expect(watch.waiting == 0)
                #expect(try await store.events().map { $0["type"] } == ["limit.reached"])
            }
        }
    }

    @Test("know their thresholds are percents", arguments: [[0], [101], [80, -1]])
    func badThresholds(thresholds: [Int]) async throws {
        let store = try RedisStore()
        #expect(throws: LimiterError.self) { try LimitWatch(store, thresholds: thresholds) }
    }
}
