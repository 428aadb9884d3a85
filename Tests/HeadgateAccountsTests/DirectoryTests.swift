import Headgate
import HeadgatePolicy
import HeadgateRedis
import HeadgateTesting
import Synchronization
import TestSupport
import Testing

@testable import HeadgateAccounts

private let changesKey = "hg:{g:headgate}:changes"

@Suite("What another instance does is seen", .serialized, .exclusive)
struct DirectoryTests {
    /// An account and a key that are known to a directory.
    private func known(_ bench: Bench, to directory: AccountDirectory) async throws -> NewKey {
        _ = try await bench.accounts.create("acme", tier: "free", by: alice)
        let new = try await bench.accounts.createKey(for: "acme", by: alice)
        #expect(try await time(until: { directory.hears }) != nil)
        #expect(try await directory.account("acme")?.tier == "free")
        #expect(try await directory.key(new.key.id)?.revoked == nil)
        return new
    }

    /// Changes all that can be changed, and expects a directory to see each change within a second.
    private func expectChangesSeen(_ bench: Bench, _ new: NewKey, by directory: AccountDirectory) async throws {
        func account() async throws -> Account? { try await directory.account("acme") }
        _ = try await bench.accounts.setTier(of: "acme", to: "pro", by: bob)
        try await expectWithinASecond("the tier") { try await account()?.tier == "pro" }
        _ = try await bench.accounts.setOverride(of: "acme", limit: "read", to: try .of("7/hour"), by: bob)
        try await expectWithinASecond("the override") { try await account()?.overrides["read"] != nil }
        let boost = try await bench.accounts.grantBoost(
            BoostRequest(multiplier: 2, duration: .seconds(3_600), reason: "r"),
            for: "acme",
            by: bob
        )
        try await expectWithinASecond("the boost") { try await account()?.boosts.first?.id == boost.id }
        _ = try await bench.accounts.endBoost(boost.id, of: "acme", by: bob)
        try await expectWithinASecond("the boost's end") { try await account()?.boosts.isEmpty == true }
        _ = try await bench.accounts.revokeKey(new.key.id, by: bob)
        try await expectWithinASecond("the revocation") { try await directory.key(new.key.id)?.revoked != nil }
    }

    @Test("within a second, and records that were not changed are not read again")
    func seen() async throws {
        try await withBench { bench in
            try await withDirectory(bench) { directory in
                let new = try await known(bench, to: directory)
                try await expectChangesSeen(bench, new, by: directory)
                func reads() async throws -> Int {
                    let text = try await bench.redis.command(["INFO", "commandstats"]).text ?? ""
                    let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_hgetall:calls=") } ?? "=0"
                    return Int(line.split(separator: "=")[1].prefix { $0.isNumber }) ?? -1
                }
                _ = try await directory.account("acme")
                let before = try await reads()
                for _ in 0..<50 {
                    _ = try await directory.account("acme")
                    _ = try await directory.key(new.key.id)
                    try await Task.sleep(for: .milliseconds(20))
                }
                // A busy machine may be late for a look or two.
                #expect(try await reads() - before <= 10)
            }
        }
    }

    @Test("within a second when an account is made that was asked for before")
    func made() async throws {
        try await withBench { bench in
            try await withDirectory(bench) { directory in
                _ = try await known(bench, to: directory)
                #expect(try await directory.account("later") == nil)
                _ = try await bench.accounts.create("later", tier: "pro", by: alice)
                try await expectWithinASecond { try await directory.account("later")?.tier == "pro" }
            }
        }
    }

    @Test("within a second also without a look at the changes: then nothing older than 400 ms is used")
    func blind() async throws {
        try await withBench { bench in
            let directory = AccountDirectory(bench.accounts)
            _ = try await bench.accounts.create("acme", tier: "free", by: alice)
            let new = try await bench.accounts.createKey(for: "acme", by: alice)
            #expect(try await directory.account("acme")?.tier == "free")
            #expect(try await directory.key(new.key.id) != nil)
            try await expectChangesSeen(bench, new, by: directory)
        }
    }

    @Test("within a second when the stream of changes cannot be read, and everything else can")
    func unreadable() async throws {
        try await withBench { bench in
            try await withDirectory(bench) { directory in
                let new = try await known(bench, to: directory)
                _ = try await bench.redis.command(["ACL", "SETUSER", "default", "-xrange", "-xrevrange"])
                try await Task.sleep(for: .milliseconds(600))
                try await expectChangesSeen(bench, new, by: directory)
            }
        }
    }

    @Test("within a second when the stream is deleted right behind the change, or emptied", arguments: ["DEL", "XTRIM"])
    func deleted(command: String) async throws {
        try await withBench { bench in
            try await withDirectory(bench) { directory in
                let new = try await known(bench, to: directory)
                let removal = command == "DEL" ? ["DEL", changesKey] : ["XTRIM", changesKey, "MAXLEN", "0"]
                _ = try await bench.accounts.setTier(of: "acme", to: "pro", by: bob)
                _ = try await bench.redis.command(removal)
                try await expectWithinASecond("the tier") { try await directory.account("acme")?.tier == "pro" }
                // It begins anew with the next change.
                _ = try await bench.accounts.revokeKey(new.key.id, by: bob)
                try await expectWithinASecond("the revocation") { try await directory.key(new.key.id)?.revoked != nil }
                #expect(try await time(until: { directory.lastChange != nil }) != nil)
            }
        }
    }

    @Test("within a second when notes of the stream begin anew with smaller ids, as after a step back of Redis' clock")
    func smallerIDs() async throws {
        try await withBench { bench in
            try await withDirectory(bench) { directory in
                let new = try await known(bench, to: directory)
                _ = try await bench.redis.command(["DEL", changesKey])
                _ = try await bench.redis.command(["XADD", changesKey, "1000-0", "record", "a:other"])
                _ = try await bench.redis.command(["HSET", "hg:{k:\(new.key.id)}:key", "revoked", "2026-11-24T21:45:00Z"])
                _ = try await bench.redis.command(["XADD", changesKey, "1001-0", "record", "k:\(new.key.id)"])
                try await expectWithinASecond { try await directory.key(new.key.id)?.revoked != nil }
            }
        }
    }

    @Test("within a second in a flood of other changes, of which the stream keeps the last")
    func flood() async throws {
        try await withBench { bench in
            try await withDirectory(bench) { directory in
                let new = try await known(bench, to: directory)
                _ = try await bench.accounts.revokeKey(new.key.id, by: bob)
                let flood = "for i = 1, 30000 do redis.call('XADD', KEYS[1], 'MAXLEN', '~', 10000, '*', 'record', 'a:other') end return 1"
                _ = try await bench.redis.command(["EVAL", flood, "1", changesKey])
                try await expectWithinASecond { try await directory.key(new.key.id)?.revoked != nil }
                // Pages behind one another are all read.
                let page = "for i = 1, 3500 do redis.call('XADD', KEYS[1], '*', 'record', 'a:other') end return 1"
                _ = try await bench.redis.command(["EVAL", page, "1", changesKey])
                _ = try await bench.accounts.setTier(of: "acme", to: "pro", by: bob)
                try await expectWithinASecond { try await directory.account("acme")?.tier == "pro" }
            }
        }
    }

    @Test("when the database was emptied: nobody's key opens any more")
    func emptied() async throws {
        try await withBench { bench in
            try await withDirectory(bench) { directory in
                let new = try await known(bench, to: directory)
                _ = try await bench.redis.command(["FLUSHALL"])
                try await expectWithinASecond("the key") { try await directory.key(new.key.id) == nil }
                try await expectWithinASecond("the account") { try await directory.account("acme") == nil }
            }
        }
    }

    @Test("One caller reads an old record anew, and the others use it meanwhile")
    func refreshed() async throws {
        try await withBench { bench in
            let directory = AccountDirectory(bench.accounts)
            _ = try await bench.accounts.create("acme", tier: "free", by: alice)
            _ = try await directory.account("acme")
            let start = ContinuousClock.now
            // Changes are heard of now, and the record is 40 seconds old.
            directory.state.withLock { $0.freshness.heardAt = start + .seconds(60) }
            directory.accounts.withLock { cache in
                let record = cache.entry("a:acme")?.record
                cache.store(record, "a:acme", readAt: start - .seconds(40), generation: cache.generation)
            }
            _ = try await directory.account("acme")
            let readAt = directory.accounts.withLock { $0.entry("a:acme")?.readAt }
            #expect(readAt.map { $0 >= start } ?? false)
        }
    }
}
