import Headgate
import HeadgatePolicy
import HeadgateRedis
import HeadgateTesting
import HeadgateYAML
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Accounts in Redis", .serialized, .exclusive)
struct AccountStoreTests {
    @Test("An account is a readable hash without a time to live, and is created once")
    func create() async throws {
        try await withBench { bench in
            let overrides = ["read": try AccountOverride.of("500/hour", reason: "launch")]
            let created = try await bench.accounts.create("acme", tier: "pro", overrides: overrides, by: alice)
            #expect(created.id == "acme" && created.tier == "pro" && created.overrides["read"]?.grantedBy == "cli alice")
            let fields = try await bench.redis.fields("hg:{a:acme}:account")
            #expect(fields["id"] == "acme" && fields["tier"] == "pro" && fields["created"] == created.created.rfc3339)
            #expect(fields["override:read"] == #"{"limit":"500/hour","reason":"launch","by":"cli alice"}"#)
            #expect(try await bench.redis.command(["PTTL", "hg:{a:acme}:account"]).integer == -1)
            #expect(try await bench.accounts.account("acme") == created)
            await expect(.exists, field: "account") { try await bench.accounts.create("acme", tier: "free", by: bob) }
            #expect(try await bench.accounts.account("acme") == created)
            #expect(try await bench.accounts.account("nobody") == nil)
        }
    }

    @Test("Of many who create an account at once, one does")
    func createAtOnce() async throws {
        try await withBench { bench in
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 { group.addTask { (try? await bench.accounts.create("acme", by: alice)) != nil } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(made == 1)
            #expect(try await bench.accounts.audit(of: "acme").count == 1)
        }
    }

    @Test("An account's name may be any text of 1 to 256 bytes without control characters")
    func names() async throws {
        try await withBench { bench in
            for name in ["a", "Größe 漢字 / :{}*", String(repeating: "x", count: 256)] {
                #expect(try await bench.accounts.create(name, by: alice).id == name)
                #expect(try await bench.accounts.account(name)?.id == name)
            }
            for name in ["", "a\0", "a\nb", "\u{7F}", String(repeating: "x", count: 257)] {
                await expect(.invalid, field: "account") { try await bench.accounts.create(name, by: alice) }
            }
            let listed = try await bench.accounts.accounts(atLeast: .max)
            #expect(listed.accounts.count == 3 && listed.next == nil)
        }
    }

    @Test("Accounts are listed page by page, each once")
    func pages() async throws {
        try await withBench { bench in
            for number in 0..<30 { _ = try await bench.accounts.create("a\(number)", by: alice) }
            // So that a page of a thousand keys does not hold them all.
            for number in 0..<5_000 { _ = try await bench.redis.command(["SET", "other:\(number)", "x"]) }
            var found: [String] = []
            var cursor: String? = "0"
            while let from = cursor {
                let page = try await bench.accounts.accounts(from: from, atLeast: 1)
                found += page.accounts.map(\.id)
                cursor = page.next
            }
            #expect(found.sorted() == (0..<30).map { "a\($0)" }.sorted())
            await expect(.invalid, field: "cursor") { try await bench.accounts.accounts(from: "x") }
        }
    }

    @Test("Changes at the same time are made on top of each other: none of 32 through three stores is lost")
    func concurrentChanges() async throws {
        let names = (0..<32).map { "limit\($0)" }
        let classes = names.map { "  \($0): [GET /\($0)]\n" }.joined()
        let limits = (names + ["rest"]).map { "\($0): 5/hour" }.joined(separator: ", ")
        let policy = "name: wide\nclasses:\n\(classes)  rest: [\"* /**\"]\ntiers:\n  free: { limits: { \(limits) } }\ndefault_tier: free\n"
        try await withBench(policy: policy) { bench in
            _ = try await bench.accounts.create("acme", by: alice)
            try await withStore(bench.server) { second in
                try await withStore(bench.server) { third in
                    let stores = [bench.redis, second, third].map { AccountStore($0, policy: bench.accounts.policy) }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for (index, name) in names.enumerated() {
                            group.addTask {
                                // Who is told to try again does.
                                while true {
                                    do throws(AccountError) {
                                        let override = AccountOverride(.units(Int64(index), per: .seconds(3_600)))
                                        _ = try await stores[index % 3].setOverride(of: "acme", limit: name, to: override, by: alice)
                                        return
                                    } catch {
                                        guard error.code == .conflict else { throw error }
                                    }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            let account = try #require(try await bench.accounts.account("acme"))
            #expect(account.overrides.keys.sorted() == names.sorted())
            for (index, name) in names.enumerated() {
                #expect(account.overrides[name]?.limit == .units(Int64(index), per: .seconds(3_600)))
            }
            #expect(account.revision == 33)
            #expect(try await bench.accounts.audit(of: "acme").count == 33)
        }
    }

    @Test("A tier that says custom needs the account's own limit: at the making, at a change of tier, and for as long as it holds")
    func custom() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            await expect(.invalid, field: "overrides") { try await accounts.create("big", tier: "enterprise", by: alice) }
            #expect(try await accounts.account("big") == nil)
            let own = ["read": try AccountOverride.of("5000/hour")]
            _ = try await accounts.create("big", tier: "enterprise", overrides: own, by: alice)
            await expect(.invalid, field: "limit") { try await accounts.clearOverride(of: "big", limit: "read", by: alice) }
            _ = try await accounts.create("acme", tier: "pro", by: alice)
            await expect(.invalid, field: "tier") { try await accounts.setTier(of: "acme", to: "enterprise", by: alice) }
            #expect(try await accounts.account("acme")?.tier == "pro")
            _ = try await accounts.setOverride(of: "acme", limit: "read", to: try .of("5000/hour"), by: alice)
            #expect(try await accounts.setTier(of: "acme", to: "enterprise", by: alice).tier == "enterprise")
            // Multiplying what the tier does not say makes nothing of it.
            await expect(.invalid) {
                try await accounts.create("x", tier: "enterprise", overrides: ["read": try .of("x2")], by: alice)
            }
        }
    }

    @Test("Tiers, limits and their numbers are checked, and the field is named")
    func checks() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            let unknown = await expect(.invalid, field: "tier") { try await accounts.create("a", tier: "por", by: alice) }
            #expect(unknown?.message.contains("pro") == true)
            _ = try await accounts.create("a", by: alice)
            await expect(.invalid, field: "tier") { try await accounts.setTier(of: "a", to: "gold", by: alice) }
            await expect(.notFound) { try await accounts.setTier(of: "nobody", to: "pro", by: alice) }
            let typo = await expect(.invalid, field: "limit") {
                try await accounts.setOverride(of: "a", limit: "raed", to: try .of("1/hour"), by: alice)
            }
            #expect(typo?.message.contains("read") == true)
            await expect(.invalid, field: "overrides") {
                try await accounts.create("b", overrides: ["raed": try .of("1/hour")], by: alice)
            }
            await expect(.invalid, field: "limit") {
                try await accounts.setOverride(of: "a", limit: "read", to: try .of("3 slots"), by: alice)
            }
            await expect(.invalid, field: "until") {
                let past = try await accounts.time()
                return try await accounts.setOverride(of: "a", limit: "read", to: try .of("1/hour", until: past), by: alice)
            }
            await expect(.invalid, field: "reason") {
                let long = String(repeating: "x", count: 1_001)
                return try await accounts.setOverride(of: "a", limit: "read", to: try .of("1/hour", reason: long), by: alice)
            }
            await expect(.invalid, field: "reason") {
                let long = String(repeating: "x", count: 1_001)
                return try await accounts.create("b", overrides: ["read": try .of("1/hour", reason: long)], by: alice)
            }
            await expect(.notFound) { try await accounts.clearOverride(of: "a", limit: "read", by: alice) }
            #expect(try await accounts.account("a")?.revision == 1)
        }
    }

    @Test("An upgrade, an override and its end are audited with what stood there before")
    func audited() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", tier: "free", by: alice)
            _ = try await accounts.setTier(of: "acme", to: "pro", by: bob)
            _ = try await accounts.setOverride(of: "acme", limit: "read", to: try .of("500/hour", reason: "launch"), by: alice)
            _ = try await accounts.setOverride(of: "acme", limit: "read", to: try .of("x2"), by: alice)
            _ = try await accounts.clearOverride(of: "acme", limit: "read", by: bob)
            let entries = try await accounts.audit(of: "acme")
            #expect(entries.map(\.what) == ["override read", "override read", "override read", "tier", "account created"])
            #expect(entries.map(\.old) == ["x2", "500/hour", "", "free", ""])
            #expect(entries.map(\.new) == ["", "x2", "500/hour", "pro", "free"])
            #expect(entries.map(\.who) == ["cli bob", "cli alice", "cli alice", "cli bob", "cli alice"])
            #expect(entries[2].reason == "launch")
            #expect(try await accounts.audit(of: "acme", atMost: 2).map(\.what) == ["override read", "override read"])
            let now = try await accounts.time()
            #expect(entries.allSatisfy { $0.time <= now && now < $0.time + .seconds(60) })
        }
    }

    @Test("What has ended is forgotten with the next change, and what is not ours in the hash stays")
    func forgets() async throws {
        try await withBench { bench in
            let key = "hg:{a:acme}:account"
            _ = try await bench.accounts.create("acme", by: alice)
            _ = try await bench.redis.command([
                "HSET", key, "override:read", #"{"limit":"9/hour","until":"2020-01-01T00:00:00Z","reason":"","by":""}"#, "boosts:2020-01",
                "2",
                "boost:b1", #"{"multiplier":"2","from":"2020-01-01T00:00:00Z","until":"2020-01-02T00:00:00Z","reason":"","by":""}"#, "note",
                "x",
            ])
            #expect(try await bench.accounts.account("acme")?.overrides.count == 1)
            _ = try await bench.accounts.setTier(of: "acme", to: "pro", by: alice)
            #expect(try await bench.redis.fields(key).keys.sorted() == ["created", "id", "note", "revision", "tier"])
        }
    }

    @Test("A stream that is none stands in nobody's way, and an account that is none is our own trouble")
    func wrongTypes() async throws {
        try await withBench { bench in
            _ = try await bench.redis.command(["SET", "hg:{g:headgate}:changes", "x"])
            _ = try await bench.redis.command(["SET", "hg:{a:acme}:audit", "x"])
            _ = try await bench.accounts.create("acme", by: alice)
            #expect(try await bench.accounts.audit(of: "acme").count == 1)
            #expect(try await bench.redis.command(["XLEN", "hg:{g:headgate}:changes"]).integer == 1)
            _ = try await bench.redis.command(["SET", "hg:{a:odd}:account", "x"])
            let error = await expect(.unavailable) { try await bench.accounts.account("odd") }
            #expect(error?.message.contains("WRONGTYPE") == false)
            await expect(.unavailable) { try await bench.accounts.create("odd", by: alice) }
        }
    }

    @Test("A change that Redis has no memory for is not made, in no part")
    func outOfMemory() async throws {
        try await withBench { bench in
            _ = try await bench.accounts.create("acme", tier: "free", by: alice)
            let before = try await bench.redis.everything()
            _ = try await bench.redis.command(["CONFIG", "SET", "maxmemory", "1"])
            await expect(.unavailable) { try await bench.accounts.setTier(of: "acme", to: "pro", by: alice) }
            await expect(.unavailable) { try await bench.accounts.create("other", by: alice) }
            _ = try await bench.redis.command(["CONFIG", "SET", "maxmemory", "0"])
            #expect(try await bench.redis.everything() == before)
        }
    }
}
