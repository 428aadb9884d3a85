import Headgate
import HeadgateRedis
import HeadgateTesting
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Whose key it is", .serialized, .exclusive)
struct AuthenticatorTests {
    /// Two instances and a key that neither knows yet.
    private struct Scene: Sendable {
        let bench: Bench
        let first: KeyAuthenticator
        let second: KeyAuthenticator
        let new: NewKey

        /// The key with another secret.
        var wrong: String { new.text.dropLast() + (new.text.hasSuffix("x") ? "y" : "x") }
    }

    private func withScene(_ test: @escaping @Sendable (Scene) async throws -> Void) async throws {
        try await withBench { bench in
            _ = try await bench.accounts.create("acme", tier: "pro", by: alice)
            let new = try await bench.accounts.createKey(for: "acme", permissions: ["boost"], by: alice)
            try await withStore(bench.server) { other in
                try await test(
                    Scene(
                        bench: bench,
                        first: try KeyAuthenticator(AccountDirectory(bench.accounts), store: bench.redis),
                        second: try KeyAuthenticator(AccountDirectory(AccountStore(other)), store: other),
                        new: new
                    )
                )
            }
        }
    }

    private func address(_ text: String = "192.0.2.1") throws -> Identity { try Identity(.address, text) }

    /// What an outcome is, in a word.
    private func word(_ outcome: KeyAuthenticator.Outcome) -> String {
        switch outcome {
        case .key(let key, let account): "\(key.id) of \(account.id)"
        case .unknown: "unknown"
        case .lockedOut(let wait): wait > .zero && wait <= .seconds(60) ? "locked out" : "locked out for \(wait)"
        }
    }

    private func expect(
        _ expected: String,
        _ text: String,
        at authenticator: KeyAuthenticator,
        from address: Identity,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await authenticator.authenticate(text, from: address)
        #expect(word(outcome) == expected, sourceLocation: sourceLocation)
    }

    private func lockOut(_ scene: Scene, from address: Identity) async throws {
        for attempt in 0..<10 {
            // Guesses of all kinds, spread over both instances.
            let text = [scene.wrong, KeyText().text, "no key", ""][attempt % 4]
            try await expect("unknown", text, at: attempt % 2 == 0 ? scene.first : scene.second, from: address)
        }
    }

    @Test("A right key opens its account with its permissions, any other opens nothing")
    func opens() async throws {
        try await withScene { scene in
            let address = try address()
            guard case .key(let key, let account) = try await scene.first.authenticate(scene.new.text, from: address) else {
                Issue.record("the key does not open")
                return
            }
            #expect(key.permissions == ["boost"] && account.tier == "pro")
            for text in ["", "x", scene.wrong, scene.new.text + "x", KeyText().text, "hgk_\(key.id)_", scene.new.text.uppercased()] {
                try await expect("unknown", text, at: scene.first, from: address)
            }
            try await expect("\(key.id) of acme", scene.new.text, at: scene.first, from: address)
        }
    }

    @Test("A revoked key and a key whose account is gone open nothing")
    func revoked() async throws {
        try await withScene { scene in
            let address = try address()
            try await expect("\(scene.new.key.id) of acme", scene.new.text, at: scene.first, from: address)
            _ = try await scene.bench.accounts.revokeKey(scene.new.key.id, by: bob)
            await scene.first.directory.look()
            try await expect("unknown", scene.new.text, at: scene.first, from: address)
            try await expect("unknown", scene.new.text, at: scene.second, from: address)
            let other = try await scene.bench.accounts.createKey(for: "acme", by: alice)
            _ = try await scene.bench.redis.command(["DEL", "hg:{a:acme}:account"])
            try await expect("unknown", other.text, at: scene.second, from: address)
        }
    }

    @Test("After ten wrong keys in a minute an address is locked out on all instances, whatever it sends")
    func lockedOut() async throws {
        try await withScene { scene in
            let address = try address()
            try await lockOut(scene, from: address)
            for authenticator in [scene.first, scene.second] {
                for text in [scene.wrong, KeyText().text, "no key", ""] {
                    try await expect("locked out", text, at: authenticator, from: address)
                }
            }
            // Denied tries are not counted: the lock-out ends by itself.
            let log = try await scene.bench.redis.command(["GET", "hg:{i:192.0.2.1}:wrong-keys:log1"]).text
            #expect(log?.hasPrefix("10 ") == true)
            #expect(try await scene.bench.redis.command(["PTTL", "hg:{i:192.0.2.1}:wrong-keys:log1"]).integer ?? 0 > 0)
        }
    }

    @Test("A right key that has not opened from there is not looked at during the lock-out, however often it comes")
    func notLookedAt() async throws {
        try await withScene { scene in
            let address = try address()
            try await lockOut(scene, from: address)
            for authenticator in [scene.first, scene.second, scene.first, scene.second] {
                try await expect("locked out", scene.new.text, at: authenticator, from: address)
            }
            // Not even when the key has opened from elsewhere.
            let elsewhere = try self.address("192.0.2.2")
            try await expect("\(scene.new.key.id) of acme", scene.new.text, at: scene.first, from: elsewhere)
            try await expect("locked out", scene.new.text, at: scene.first, from: address)
            _ = try await scene.bench.redis.command(["DEL", "hg:{i:192.0.2.1}:wrong-keys:log1"])
            try await expect("\(scene.new.key.id) of acme", scene.new.text, at: scene.first, from: address)
        }
    }

    @Test("Whose key has opened from an address does not suffer from a guesser there, nor does any other address")
    func othersUnaffected() async throws {
        try await withScene { scene in
            let (shared, elsewhere) = (try address(), try address("192.0.2.2"))
            let opened = "\(scene.new.key.id) of acme"
            try await expect(opened, scene.new.text, at: scene.first, from: shared)
            try await lockOut(scene, from: shared)
            // Also when the record is too old to be used without another look.
            for wait in [Duration.zero, Freshness.mostBlind + .milliseconds(50)] {
                try await Task.sleep(for: wait)
                try await expect(opened, scene.new.text, at: scene.first, from: shared)
                try await expect(opened, scene.new.text, at: scene.second, from: elsewhere)
            }
            try await expect("unknown", scene.wrong, at: scene.first, from: elsewhere)
            // Its holder's own wrong keys are refused like anybody's.
            try await expect("locked out", scene.wrong, at: scene.first, from: shared)
            _ = try await scene.bench.accounts.revokeKey(scene.new.key.id, by: bob)
            await scene.first.directory.look()
            try await expect("locked out", scene.new.text, at: scene.first, from: shared)
        }
    }

    @Test("Made-up keys leave nothing in memory, and in Redis a count for each address alone")
    func madeUp() async throws {
        try await withScene { scene in
            try await expect("\(scene.new.key.id) of acme", scene.new.text, at: scene.first, from: try address("192.0.2.2"))
            func counted() async throws -> Int { try await scene.bench.redis.command(["KEYS", "hg:{i:*"]).elements?.count ?? 0 }
            let before = try await counted()
            let addresses = try (0..<20).map { try address("198.51.100.\($0)") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for address in addresses {
                    group.addTask { for _ in 0..<500 { _ = try await scene.first.authenticate(KeyText().text, from: address) } }
                }
                try await group.waitForAll()
            }
            let directory = scene.first.directory
            #expect(directory.held == 2 && directory.openings == 1 && directory.used.count == 1)
            #expect(try await counted() == before + 20)
            let others = try await scene.bench.redis.command(["KEYS", "hg:{k:*"]).elements?.count
            #expect(others == 2)
        }
    }

    @Test("The tables that grow with callers are bounded")
    func bounded() async throws {
        try await withScene { scene in
            let directory = scene.first.directory
            let address = try address()
            for number in 0..<300_000 { directory.noteOpening(of: "key\(number)", from: address) }
            #expect(directory.openings <= 100_000)
            #expect(directory.used.count == AccountDirectory.mostUsed)
        }
    }

    @Test("Without Redis known keys open, and unknown ones are not called so")
    func redisAway() async throws {
        try await withScene { scene in
            let address = try address()
            let opened = "\(scene.new.key.id) of acme"
            try await expect(opened, scene.new.text, at: scene.first, from: address)
            scene.bench.server.kill()
            try await Task.sleep(for: .milliseconds(500))
            for _ in 0..<3 { try await expect(opened, scene.new.text, at: scene.first, from: address) }
            for text in [scene.new.text, KeyText().text] {
                await HeadgateAccountsTests.expect(.unavailable) { try await scene.second.authenticate(text, from: address) }
            }
        }
    }
}
