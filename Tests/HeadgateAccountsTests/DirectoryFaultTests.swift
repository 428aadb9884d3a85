import EmbeddedRedis
import Headgate
import HeadgateRedis
import HeadgateTesting
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Accounts and keys when Redis is in trouble", .serialized, .exclusive)
struct DirectoryFaultTests {
    /// A directory with a short deadline that knows an account and a key; changes are made through a patient store.
    private func withKnown(
        _ test: @escaping @Sendable (Bench, AccountDirectory, NewKey) async throws -> Void
    ) async throws {
        try await withBench { bench in
            _ = try await bench.accounts.create("acme", tier: "free", by: alice)
            let new = try await bench.accounts.createKey(for: "acme", by: alice)
            try await withDirectory(bench, deadline: .milliseconds(200)) { directory in
                #expect(try await time(until: { directory.hears }) != nil)
                #expect(try await time(until: { (try? await directory.account("acme")) != nil }) != nil)
                #expect(try await time(until: { (try? await directory.key(new.key.id)) != nil }) != nil)
                try await test(bench, directory, new)
            }
        }
    }

    /// Expects that what is known serves, and that what is not is not taken for unknown.
    private func expectKnownServes(_ directory: AccountDirectory, _ new: NewKey) async throws {
        #expect(try await directory.account("acme")?.tier == "free")
        #expect(try await directory.key(new.key.id)?.revoked == nil)
        await expect(.unavailable) { try await directory.account("other") }
        await expect(.unavailable) { try await directory.key("otherkey") }
    }

    @Test("A connection that is killed again and again delays a change by less than a second")
    func connectionsKilled() async throws {
        try await withKnown { bench, directory, new in
            for round in 0..<10 {
                try? await withStore(bench.server) { redis in _ = try? await redis.command(["CLIENT", "KILL", "TYPE", "normal"]) }
                let tier = round % 2 == 0 ? "pro" : "free"
                #expect(try await time(until: { (try? await bench.accounts.setTier(of: "acme", to: tier, by: bob)) != nil }) != nil)
                try await expectWithinASecond { try await directory.account("acme")?.tier == tier }
            }
            #expect(try await time(until: { (try? await bench.accounts.revokeKey(new.key.id, by: bob)) != nil }) != nil)
            try await expectWithinASecond { try await directory.key(new.key.id)?.revoked != nil }
        }
    }

    @Test("While Redis is paused what is known serves; a change is seen within a second of being made")
    func paused() async throws {
        try await withKnown { bench, directory, new in
            _ = try await bench.redis.command(["CLIENT", "PAUSE", "1500", "ALL"])
            async let changed = bench.accounts.revokeKey(new.key.id, by: bob)
            let start = ContinuousClock.now
            while start.duration(to: .now) < .milliseconds(900) {
                try await expectKnownServes(directory, new)
                try await Task.sleep(for: .milliseconds(20))
            }
            _ = try await changed
            try await expectWithinASecond { try await directory.key(new.key.id)?.revoked != nil }
        }
    }

    @Test("While Redis hangs what is known serves without waiting for it each time")
    func hangs() async throws {
        try await withKnown { bench, directory, new in
            bench.server.suspend()
            try await Task.sleep(for: .milliseconds(900))
            try await expectKnownServes(directory, new)
            let start = ContinuousClock.now
            for _ in 0..<1_000 { #expect(try await directory.account("acme") != nil) }
            #expect(ContinuousClock.now - start < .seconds(1))
            bench.server.resume()
            #expect(try await time(until: { (try? await bench.accounts.setTier(of: "acme", to: "pro", by: bob)) != nil }) != nil)
            try await expectWithinASecond { try await directory.account("acme")?.tier == "pro" }
        }
    }

    @Test("While Redis is gone what is known serves, and after it came back empty nothing does")
    func gone() async throws {
        try await withKnown { bench, directory, new in
            bench.server.kill()
            try await Task.sleep(for: .milliseconds(900))
            try await expectKnownServes(directory, new)
            try await bench.server.restart()
            let taken = try await time(until: { (try? await directory.key(new.key.id)) == .some(nil) })
            #expect(taken.map { $0 < .seconds(3) } ?? false)
            #expect(try await directory.account("acme") == nil)
        }
    }

    @Test("A caller that goes away is no sign that Redis is away: a revoked key is not used for it")
    func cancelled() async throws {
        try await withBench { bench in
            _ = try await bench.accounts.create("acme", by: alice)
            let new = try await bench.accounts.createKey(for: "acme", by: alice)
            let directory = AccountDirectory(bench.accounts)
            _ = try await directory.key(new.key.id)
            try await Task.sleep(for: .milliseconds(450))
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await directory.key("neverread") }
                group.cancelAll()
            }
            #expect(directory.failedAt == nil)
            _ = try await bench.accounts.revokeKey(new.key.id, by: bob)
            #expect(try await directory.key(new.key.id)?.revoked != nil)
        }
    }

    @Test("The time is Redis', and known while it is away")
    func clock() async throws {
        try await withKnown { bench, directory, _ in
            let (before, told, after) = (try await bench.accounts.time(), try await directory.time(), try await bench.accounts.time())
            #expect(before <= told + .milliseconds(1) && told <= after + .milliseconds(50))
            bench.server.kill()
            let later = try await directory.time()
            #expect(later >= told && later < told + .seconds(10))
            let fresh = AccountDirectory(AccountStore(bench.redis))
            await expect(.unavailable) { try await fresh.time() }
        }
    }
}
