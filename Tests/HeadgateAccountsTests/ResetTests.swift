import Headgate
import HeadgatePolicy
import HeadgateRedis
import HeadgateTesting
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Counts that are reset", .serialized, .exclusive)
struct ResetTests {
    /// Uses one unit of everything, plainly, with a permission that counts apart, and with a key.
    private func use(_ bench: Bench, _ account: Account, key: String) async throws {
        let limiter = Limiter(store: bench.redis, rules: try #require(bench.accounts.policy))
        let now = try await bench.accounts.time()
        for permissions in [[], ["slow"]] as [Set<String>] {
            let subject = try account.subject(at: now, permissions: permissions, key: key)
            for (method, path) in [("GET", "/x"), ("POST", "/clusters")] {
                let decision = try await limiter.acquire(for: subject, on: Endpoint(method: method, path: path), slots: .observe)
                #expect(!decision.isDegraded)
            }
        }
    }

    private func counts(_ bench: Bench) async throws -> [String] {
        let names = (try await bench.redis.command(["KEYS", "hg:{a:acme}:*:log1"]).elements ?? []).compactMap(\.text)
        return names.map { $0.split(separator: ":")[3].description }.sorted()
    }

    @Test("All of an account's counts are forgotten: plain ones, a permission's own and a key's own; and it is audited")
    func all() async throws {
        try await withBench { bench in
            let account = try await bench.accounts.create("acme", tier: "pro", by: alice)
            let key = try await bench.accounts.createKey(for: "acme", by: alice).key.id
            try await use(bench, account, key: key)
            let used = try await counts(bench)
            #expect(used == ["POST/clusters", "keyed~\(key)", "read", "read@1d", "write"])
            let reset = try await bench.accounts.resetCounts(of: "acme", in: bench.redis, by: bob)
            #expect(Set(reset).isSuperset(of: used))
            #expect(try await counts(bench).isEmpty)
            let audit = try #require(try await bench.accounts.audit(of: "acme").first)
            #expect(audit.what == "counts reset" && audit.old == "all" && audit.who == "cli bob")
        }
    }

    @Test("One limit's counts are forgotten, with those that it counts apart, and no other's")
    func one() async throws {
        try await withBench { bench in
            let account = try await bench.accounts.create("acme", tier: "pro", by: alice)
            let key = try await bench.accounts.createKey(for: "acme", by: alice).key.id
            try await use(bench, account, key: key)
            #expect(try await bench.accounts.resetCounts(of: "acme", limit: "read", in: bench.redis, by: bob) == ["read", "read@1d"])
            #expect(try await counts(bench) == ["POST/clusters", "keyed~\(key)", "write"])
            #expect(try await bench.accounts.resetCounts(of: "acme", limit: "keyed", in: bench.redis, by: bob).contains("keyed~\(key)"))
            #expect(try await bench.accounts.resetCounts(of: "acme", limit: "write", in: bench.redis, by: bob) == ["write"])
            #expect(try await counts(bench) == ["POST/clusters"])
            await expect(.notFound, field: "limit") {
                try await bench.accounts.resetCounts(of: "acme", limit: "raed", in: bench.redis, by: bob)
            }
            await expect(.notFound) { try await bench.accounts.resetCounts(of: "nobody", in: bench.redis, by: bob) }
            await expect(.conflict) { try await AccountStore(bench.redis).resetCounts(of: "acme", in: bench.redis, by: bob) }
        }
    }

    @Test("Other accounts keep theirs")
    func others() async throws {
        try await withBench { bench in
            let account = try await bench.accounts.create("acme", tier: "pro", by: alice)
            _ = try await bench.accounts.create("acme2", tier: "pro", by: alice)
            try await use(bench, account, key: "abcdefgh")
            let before = try await counts(bench)
            _ = try await bench.accounts.resetCounts(of: "acme2", in: bench.redis, by: bob)
            #expect(try await counts(bench) == before)
        }
    }
}
