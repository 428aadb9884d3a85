import Headgate
import HeadgatePolicy
import HeadgateRedis
import HeadgateTesting
import Synchronization
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Boosts in Redis", .serialized, .exclusive)
struct BoostTests {
    private static func request(
        _ multiplier: Multiplier = 2,
        _ duration: Duration = .seconds(3_600),
        _ reason: String = "migration"
    ) -> BoostRequest {
        BoostRequest(multiplier: multiplier, duration: duration, reason: reason)
    }

    @Test("A customer's boost has the policy's caps: the largest and the longest pass, and what is above names its field")
    func caps() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            func refused(_ field: String, _ request: BoostRequest, sourceLocation: SourceLocation = #_sourceLocation) async {
                await expect(.invalid, field: field, sourceLocation: sourceLocation) {
                    try await accounts.takeBoost(request, for: "acme", by: alice)
                }
            }
            await refused("multiplier", Self.request(4))
            await refused("multiplier", Self.request(try Multiplier("3.01")))
            await refused("multiplier", Self.request(1))
            await refused("multiplier", Self.request(try Multiplier("0.5")))
            await refused("duration", Self.request(2, .seconds(2 * 86_400) + .milliseconds(1)))
            await refused("duration", Self.request(2, .milliseconds(999)))
            await refused("duration", Self.request(2, .zero))
            await refused("reason", Self.request(2, .seconds(1), ""))
            await refused("reason", Self.request(2, .seconds(1), " \n"))
            await refused("reason", Self.request(2, .seconds(1), String(repeating: "x", count: 1_001)))
            await refused("reason", Self.request(2, .seconds(1), "a\0b"))
            let account = try #require(try await accounts.account("acme"))
            #expect(account.boosts.isEmpty && account.boostsTaken.isEmpty && account.revision == 1)
            let boost = try await accounts.takeBoost(Self.request(3, .seconds(2 * 86_400)), for: "acme", by: Actor("key 1"))
            #expect(boost.multiplier == 3 && boost.reason == "migration" && boost.grantedBy == "key 1")
            await expect(.notFound) { try await accounts.takeBoost(Self.request(), for: "nobody", by: alice) }
        }
    }

    @Test("An administrator's boost has no caps but a year, and takes none of the customer's")
    func granted() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let boost = try await accounts.grantBoost(Self.request(1_000, AccountStore.longestBoost), for: "acme", by: alice)
            #expect(boost.multiplier == 1_000)
            await expect(.invalid, field: "duration") {
                try await accounts.grantBoost(Self.request(2, AccountStore.longestBoost + .seconds(1)), for: "acme", by: alice)
            }
            await expect(.invalid, field: "multiplier") { try await accounts.grantBoost(Self.request(1), for: "acme", by: alice) }
            #expect(try await accounts.account("acme")?.boostsTaken == [:])
        }
    }

    @Test("A customer takes so many in a calendar month, ended ones included, also when many ask at once")
    func perMonth() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let taken = try await withThrowingTaskGroup(of: Boost?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do throws(AccountError) {
                            return try await accounts.takeBoost(Self.request(), for: "acme", by: alice)
                        } catch {
                            guard error.code == .notAllowed else { throw error }
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: [Boost]()) { taken, boost in if let boost { taken.append(boost) } }
            }
            #expect(taken.count == 2)
            for boost in taken { _ = try await accounts.endBoost(boost.id, of: "acme", by: alice) }
            await expect(.notAllowed) { try await accounts.takeBoost(Self.request(), for: "acme", by: alice) }
            // The month before says nothing of this one.
            let month = try await accounts.time().calendarMonth
            _ = try await bench.redis.command(["HDEL", "hg:{a:acme}:account", "boosts:\(month)"])
            _ = try await bench.redis.command(["HSET", "hg:{a:acme}:account", "boosts:2020-01", "2"])
            _ = try await accounts.takeBoost(Self.request(), for: "acme", by: alice)
            #expect(try await accounts.account("acme")?.boostsTaken == [month: 1])
        }
    }

    @Test("Without boosts in the policy customers take none, and administrators give them")
    func noBoosts() async throws {
        let policy = "name: plain\nclasses:\n  all: [\"* /**\"]\ntiers:\n  free: { limits: { all: 5/hour } }\ndefault_tier: free\n"
        try await withBench(policy: policy) { bench in
            _ = try await bench.accounts.create("acme", by: alice)
            await expect(.notAllowed) { try await bench.accounts.takeBoost(Self.request(), for: "acme", by: alice) }
            _ = try await bench.accounts.grantBoost(Self.request(), for: "acme", by: alice)
        }
    }

    @Test("The larger boost counts and the other waits for its end; at most 16 stand at once")
    func several() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let small = try await accounts.grantBoost(Self.request(2, .seconds(7_200)), for: "acme", by: alice)
            let large = try await accounts.grantBoost(Self.request(5, .seconds(3_600)), for: "acme", by: alice)
            let now = try await accounts.time()
            let account = try #require(try await accounts.account("acme"))
            #expect(account.boost(at: now)?.id == large.id)
            #expect(account.boost(at: large.until)?.id == small.id)
            #expect(account.boost(at: small.until) == nil)
            #expect(try await accounts.endBoost(large.id, of: "acme", by: alice).boost(at: now)?.id == small.id)
            for _ in 0..<15 { _ = try await accounts.grantBoost(Self.request(), for: "acme", by: alice) }
            await expect(.conflict) { try await accounts.grantBoost(Self.request(), for: "acme", by: alice) }
        }
    }

    @Test("A boost is ended once, and audited from beginning to end")
    func end() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let boost = try await accounts.takeBoost(Self.request(), for: "acme", by: Actor("key abc"))
            await expect(.notFound) { try await accounts.endBoost("bnone", of: "acme", by: alice) }
            _ = try await accounts.endBoost(boost.id, of: "acme", by: bob)
            await expect(.notFound) { try await accounts.endBoost(boost.id, of: "acme", by: bob) }
            let audit = try await accounts.audit(of: "acme")
            #expect(audit.map(\.what) == ["boost ended", "boost", "account created"])
            #expect(audit[0].who == "cli bob" && audit[0].old == "\(boost.id) x2 until \(boost.until.rfc3339)")
            #expect(audit[1].who == "key abc" && audit[1].new == audit[0].old && audit[1].reason == "migration")
        }
    }

    @Test("A boost begins at once and ends by itself, by Redis' clock and no other")
    func ends() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let before = try await accounts.time()
            let boost = try await accounts.takeBoost(Self.request(2, .seconds(1)), for: "acme", by: alice)
            let after = try await accounts.time()
            #expect(boost.from <= before)
            #expect(boost.until >= before + .seconds(1) && boost.until < after + .seconds(2))
            // Nobody writes anything when it ends.
            let revision = try await accounts.account("acme")?.revision
            let directory = AccountDirectory(accounts)
            func running() async throws -> String? { try await directory.account("acme")?.boost(at: try await directory.time())?.id }
            #expect(try await running() == boost.id)
            #expect(try await time(until: { try await running() == nil }) != nil)
            // An instance is early by the time of an answer at most.
            #expect(try await accounts.time() + .milliseconds(100) >= boost.until)
            #expect(try await accounts.account("acme")?.revision == revision)
            // An instance to which Redis told another time than its host's goes by Redis'.
            let ahead = AccountDirectory(accounts)
            let other = try await accounts.grantBoost(Self.request(2, .seconds(3_600)), for: "acme", by: alice)
            ahead.state.withLock { $0.clock = (other.until, .now) }
            #expect(try await ahead.account("acme")?.boost(at: try await ahead.time()) == nil)
            try await expectWithinASecond { try await running() == other.id }
        }
    }

    @Test("A boost that makes a limit too large to be counted is refused")
    func tooLarge() async throws {
        try await withBench { bench in
            let overrides = ["read": try AccountOverride.of("1000000000/hour")]
            _ = try await bench.accounts.create("acme", overrides: overrides, by: alice)
            await expect(.invalid, field: "multiplier") {
                try await bench.accounts.grantBoost(Self.request(1_000_000), for: "acme", by: alice)
            }
        }
    }
}
