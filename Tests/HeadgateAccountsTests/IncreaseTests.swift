import Headgate
import HeadgateJSON
import HeadgatePolicy
import HeadgateRedis
import HeadgateTesting
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Requests for more in Redis", .serialized, .exclusive)
struct IncreaseTests {
    private static let key = "hg:{g:headgate}:limit-increases"

    private func ask(_ accounts: AccountStore, _ id: String = "acme", volume: String = "5000 an hour") async throws -> LimitIncrease {
        try await accounts.askForIncrease(id, expectedVolume: volume, useCase: "launch", timeline: "December", by: Actor("key abc"))
    }

    @Test("A request holds what support asks for, with the plan at the time, in one readable line")
    func asks() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let asked = try await ask(accounts)
            #expect(asked.status == .open && asked.tier == "free" && asked.account == "acme" && asked.useCase == "launch")
            let read = try #require(try await accounts.increase(asked.id))
            #expect(read.created.rfc3339 == asked.created.rfc3339 && read.expectedVolume == "5000 an hour" && read.timeline == "December")
            #expect(try await accounts.account("acme")?.openIncrease == asked.id)
            #expect(try await bench.redis.fields(Self.key)[asked.id]?.contains(#""use_case":"launch""#) == true)
            #expect(try await accounts.increases(.open).map(\.id) == [asked.id])
            #expect(try await accounts.increases(.granted).isEmpty)
            let audit = try #require(try await accounts.audit(of: "acme").first)
            #expect(audit.what == "limit increase asked" && audit.new == asked.id && audit.who == "key abc")
        }
    }

    @Test("A text that is missing or too long is refused by its field, and nothing is noted")
    func fields() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            for (index, field) in ["expected_volume", "use_case", "timeline"].enumerated() {
                for text in ["", String(repeating: "x", count: 1_001), "a\0"] {
                    var texts = ["a", "b", "c"]
                    texts[index] = text
                    await expect(.invalid, field: field) { [texts] in
                        try await accounts.askForIncrease(
                            "acme",
                            expectedVolume: texts[0],
                            useCase: texts[1],
                            timeline: texts[2],
                            by: alice
                        )
                    }
                }
            }
            await expect(.notFound) { try await ask(accounts, "nobody") }
            #expect(try await accounts.increases().isEmpty)
            #expect(try await accounts.account("acme")?.revision == 1)
        }
    }

    @Test("An account has one open at a time, also when many ask at once")
    func oneAtATime() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            for round in 1...10 {
                let asked = try await withThrowingTaskGroup(of: LimitIncrease?.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            do {
                                return try await ask(accounts)
                            } catch let error as AccountError where error.code == .conflict {
                                return nil
                            }
                        }
                    }
                    return try await group.reduce(into: [LimitIncrease]()) { asked, increase in if let increase { asked.append(increase) } }
                }
                #expect(asked.count == 1)
                #expect(try await accounts.increases(.open).map(\.id) == asked.map(\.id))
                let open = try #require(asked.first?.id)
                #expect(try await accounts.account("acme")?.openIncrease == open)
                await expect(.conflict) { try await ask(accounts) }
                _ = try await accounts.refuseIncrease(open, by: alice)
                #expect(try await accounts.increases().count == round)
            }
        }
    }

    @Test("Granting gives the account limits of its own; refusing gives none; both are answered once")
    func answers() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let first = try await ask(accounts)
            await expect(.invalid, field: "overrides") { try await accounts.grantIncrease(first.id, overrides: [:], by: alice) }
            await expect(.invalid, field: "overrides") {
                try await accounts.grantIncrease(first.id, overrides: ["raed": try .of("1/hour")], by: alice)
            }
            await expect(.notFound) { try await accounts.grantIncrease("inone", overrides: ["read": try .of("1/hour")], by: alice) }
            #expect(try await accounts.account("acme")?.overrides.isEmpty == true)
            let overrides = ["read": try AccountOverride.of("5000/hour"), "write": try AccountOverride.of("x2")]
            let granted = try await accounts.grantIncrease(first.id, overrides: overrides, answer: "good luck", by: alice)
            #expect(granted.status == .granted && granted.answer == "good luck" && granted.answeredBy == "cli alice")
            #expect(try await accounts.increase(first.id)?.status == .granted)
            let account = try #require(try await accounts.account("acme"))
            #expect(account.openIncrease == nil && account.overrides["read"]?.limit == .units(5_000, per: .seconds(3_600)))
            #expect(account.overrides["read"]?.grantedBy == "cli alice")
            let audit = try #require(try await accounts.audit(of: "acme").first)
            #expect(audit.what == "limit increase granted" && audit.old == first.id && audit.new == "read=5000/hour, write=x2")
            #expect(audit.reason == "good luck")
            await expect(.conflict) { try await accounts.grantIncrease(first.id, overrides: overrides, by: bob) }
            await expect(.conflict) { try await accounts.refuseIncrease(first.id, by: bob) }
            let second = try await ask(accounts)
            let refused = try await accounts.refuseIncrease(second.id, answer: "please upgrade", by: bob)
            #expect(refused.status == .refused)
            #expect(try await accounts.account("acme")?.overrides == account.overrides)
            #expect(Set(try await accounts.increases().map(\.status)) == [.granted, .refused])
        }
    }

    @Test("Of many administrators who answer at once one does, and the others grant nothing")
    func twoAtOnce() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            for _ in 0..<10 {
                let asked = try await ask(accounts)
                let answered = try await withThrowingTaskGroup(of: (Int, LimitIncrease)?.self) { group in
                    for admin in 0..<6 {
                        group.addTask {
                            do throws(AccountError) {
                                let actor = Actor("admin \(admin)")
                                guard admin % 3 != 2 else { return (0, try await accounts.refuseIncrease(asked.id, by: actor)) }
                                let override = AccountOverride(.units(Int64(admin + 100), per: .seconds(3_600)))
                                return (admin + 100, try await accounts.grantIncrease(asked.id, overrides: ["read": override], by: actor))
                            } catch {
                                guard error.code == .conflict else { throw error }
                                return nil
                            }
                        }
                    }
                    return try await group.reduce(into: [(Int, LimitIncrease)]()) { answered, one in if let one { answered.append(one) } }
                }
                let (units, answer) = try #require(answered.first)
                #expect(answered.count == 1)
                let account = try #require(try await accounts.account("acme"))
                #expect(account.overrides["read"]?.limit == (units == 0 ? nil : .units(Int64(units), per: .seconds(3_600))))
                #expect(try await accounts.increase(asked.id)?.answeredBy == answer.answeredBy)
                if units > 0 { _ = try await accounts.clearOverride(of: "acme", limit: "read", by: alice) }
            }
        }
    }

    @Test("An answer that was cut off before it was noted is noted by whoever tries again")
    func cutOff() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            let asked = try await ask(accounts)
            _ = try await accounts.grantIncrease(asked.id, overrides: ["read": try .of("5000/hour")], answer: "yes", by: alice)
            // As if the process had ended between the two.
            _ = try await bench.redis.command(["HSET", Self.key, asked.id, asked.json.text])
            #expect(try await accounts.increase(asked.id)?.status == .open)
            await expect(.conflict) { try await accounts.refuseIncrease(asked.id, by: bob) }
            let noted = try #require(try await accounts.increase(asked.id))
            #expect(noted.status == .granted && noted.answer == "yes" && noted.answeredBy == "cli alice")
            #expect(try await accounts.account("acme")?.overrides["read"] != nil)
        }
    }

    @Test("A line that is none is passed over, and what the account calls open and nobody has keeps it from nothing")
    func garbage() async throws {
        try await withBench { bench in
            let accounts = bench.accounts
            _ = try await accounts.create("acme", by: alice)
            _ = try await bench.redis.command(["HSET", Self.key, "i1", "{", "i2", "x"])
            _ = try await bench.redis.command(["HSET", "hg:{a:acme}:account", "increase", "i3"])
            let asked = try await ask(accounts)
            #expect(try await accounts.increases().map(\.id) == [asked.id])
        }
    }

    @Test("The policy that is served is kept for commands that have none")
    func policy() async throws {
        try await withBench { bench in
            #expect(try await bench.accounts.publishedPolicy() == nil)
            try await bench.accounts.publish(policy: policyText)
            #expect(try await bench.accounts.publishedPolicy() == policyText)
        }
    }
}
