import Headgate
import HeadgateRedis
import HeadgateTesting
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Keys in Redis", .serialized, .exclusive)
struct KeyTests {
    @Test("A key is a readable hash with the SHA-256 of its secret, and nothing in Redis holds the secret")
    func create() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", tier: "pro", by: alice)
            let new = try await accounts.createKey(for: "acme", permissions: ["boost", "read-only"], name: "migration job", by: alice)
            let text = try #require(KeyText(new.text))
            #expect(text.id == new.key.id && text.opens(new.key))
            let key = "hg:{k:\(new.key.id)}:key"
            let fields = try await bench.redis.fields(key)
            #expect(fields["id"] == new.key.id && fields["account"] == "acme" && fields["permissions"] == "boost,read-only")
            #expect(fields["name"] == "migration job" && fields["sha256"] == text.digest && fields["created"] == new.key.created.rfc3339)
            #expect(fields["last_used"] == nil && fields["revoked"] == nil)
            #expect(try await bench.redis.command(["PTTL", key]).integer == -1)
            // The key is used, listed, revoked and looked for, and still its secret stands nowhere.
            let directory = AccountDirectory(accounts)
            let authenticator = try KeyAuthenticator(directory, store: bench.redis)
            for secret in [new.text, new.text + "x", String(new.text.dropLast())] {
                _ = try await authenticator.authenticate(secret, from: Identity(.address, "192.0.2.1"))
            }
            _ = try await directory.time()
            await directory.writeUses()
            _ = try await accounts.revokeKey(new.key.id, by: bob)
            let everything = try await bench.redis.everything()
            let secret = try #require(new.text.split(separator: "_").last)
            #expect(everything.contains(new.key.id) && everything.contains(text.digest) && everything.contains("last_used"))
            for length in [43, 20, 8] {
                #expect(!everything.contains(secret.prefix(length)) && !everything.contains(secret.suffix(length)))
            }
        }
    }

    @Test("Keys are listed with their account, oldest first, and the account has to be there and to have its limits")
    func list() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            await expect(.notFound) { try await accounts.createKey(for: "acme", by: alice) }
            await expect(.notFound) { try await accounts.keys(of: "acme") }
            _ = try await accounts.create("acme", by: alice)
            _ = try await accounts.create("other", by: alice)
            #expect(try await accounts.keys(of: "acme").isEmpty)
            var made: [String] = []
            for _ in 0..<3 { made.append(try await accounts.createKey(for: "acme", by: alice).key.id) }
            _ = try await accounts.createKey(for: "other", by: alice)
            let listed = try await accounts.keys(of: "acme")
            #expect(Set(listed.map(\.id)) == Set(made))
            #expect(listed.map(\.created) == listed.map(\.created).sorted())
            #expect(try await accounts.key(made[0])?.account == "acme")
            #expect(try await accounts.key("nokey") == nil)
            // A policy that came later asks for a limit that the account lacks.
            _ = try await bench.redis.command(["HSET", "hg:{a:acme}:account", "tier", "enterprise"])
            await expect(.invalid, field: "account") { try await accounts.createKey(for: "acme", by: alice) }
        }
    }

    @Test(
        "A permission is a word without commas and blanks",
        arguments: ["", " ", "a,b", "a b", "a\n", "é", String(repeating: "x", count: 65)]
    )
    func permissions(text: String) async throws {
        try await withBench { bench in
            _ = try await bench.accounts.create("acme", by: alice)
            await expect(.invalid, field: "permissions") {
                try await bench.accounts.createKey(for: "acme", permissions: ["boost", text], by: alice)
            }
            await expect(.invalid, field: "name") {
                try await bench.accounts.createKey(for: "acme", name: String(repeating: "x", count: 1_001), by: alice)
            }
            #expect(try await bench.accounts.keys(of: "acme").isEmpty)
        }
    }

    @Test("A key is revoked once and stays so; both are in the account's audit")
    func revoke() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let new = try await accounts.createKey(for: "acme", permissions: ["boost"], by: alice)
            let revoked = try await accounts.revokeKey(new.key.id, by: bob)
            let time = try #require(revoked.revoked)
            #expect(time.rfc3339 >= new.key.created.rfc3339)
            let again = try await accounts.revokeKey(new.key.id, by: alice)
            #expect(again.revoked?.rfc3339 == time.rfc3339)
            #expect(try await accounts.key(new.key.id)?.revision == 2)
            await expect(.notFound) { try await accounts.revokeKey("nokey", by: alice) }
            let audit = try await accounts.audit(of: "acme")
            #expect(Set(audit.map(\.what)) == ["account created", "key created \(new.key.id)", "key revoked \(new.key.id)"])
            #expect(audit.first { $0.what.hasPrefix("key revoked") }?.who == "cli bob")
            #expect(audit.first { $0.what.hasPrefix("key created") }?.new == "boost")
        }
    }

    @Test("When a key was last used is noted of keys that there are, and of no others")
    func lastUsed() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let new = try await accounts.createKey(for: "acme", by: alice)
            let directory = AccountDirectory(accounts)
            let address = try Identity(.address, "192.0.2.1")
            _ = try await directory.time()
            for key in [new.key.id, "gone"] { directory.noteOpening(of: key, from: address) }
            await directory.writeUses()
            let used = try #require(try await accounts.key(new.key.id)?.lastUsed)
            #expect(used >= new.key.created)
            #expect(try await bench.redis.command(["EXISTS", "hg:{k:gone}:key"]).integer == 0)
            #expect(directory.used.isEmpty)
            // Being used is no change: nobody forgets the key for it.
            #expect(try await accounts.key(new.key.id)?.revision == 1)
            #expect(try await bench.redis.command(["XLEN", "hg:{g:headgate}:changes"]).integer == 2)
        }
    }

    @Test("Uses that cannot be written are written later, and one that never can keeps back no other")
    func usesKept() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            let (good, odd) = ((0..<600).map { "good\($0)" }, (0..<30).map { "odd\($0)" })
            for key in good { _ = try await bench.redis.command(["HSET", "hg:{k:\(key)}:key", "id", key]) }
            for key in odd { _ = try await bench.redis.command(["SET", "hg:{k:\(key)}:key", "x"]) }
            let directory = AccountDirectory(accounts)
            let address = try Identity(.address, "192.0.2.1")
            _ = try await directory.time()
            for key in good + odd { directory.noteOpening(of: key, from: address) }
            _ = try await bench.redis.command(["CONFIG", "SET", "maxmemory", "1"])
            await directory.writeUses()
            #expect(directory.used == Set(good + odd))
            _ = try await bench.redis.command(["CONFIG", "SET", "maxmemory", "0"])
            await directory.writeUses()
            #expect(directory.used == Set(odd))
            for key in good { #expect(try await bench.redis.fields("hg:{k:\(key)}:key")["last_used"] != nil) }
        }
    }
}
