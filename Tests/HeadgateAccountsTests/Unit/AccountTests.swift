import Headgate
import Testing

@testable import HeadgateAccounts

@Suite("An account at an instant")
struct AccountTests {
    private static let now = StoreTime(microseconds: 1_795_556_700_000_000)  // 2026-11-24T21:45:00Z

    private func boost(_ id: String, _ multiplier: Multiplier, from: Int64, to: Int64) -> Boost {
        Boost(
            id,
            multiplier: multiplier,
            from: StoreTime(microseconds: Self.now.microseconds + from),
            until: StoreTime(microseconds: Self.now.microseconds + to),
            reason: "r",
            grantedBy: "a"
        )
    }

    private func at(_ microseconds: Int64) -> StoreTime { StoreTime(microseconds: Self.now.microseconds + microseconds) }

    @Test("A boost runs from its beginning up to its end, which it does not include")
    func halfOpen() {
        let boost = boost("b", 2, from: 0, to: 10)
        #expect([-1, 0, 9, 10, 11].map { boost.runs(at: at($0)) } == [false, true, true, false, false])
        var account = Account("acme", created: Self.now)
        account.boosts = [boost]
        #expect([-1, 0, 9, 10].map { account.boost(at: at($0))?.id } == [nil, "b", "b", nil])
    }

    @Test("Of several boosts the larger counts, and the other waits for its end", arguments: [false, true])
    func larger(reversed: Bool) throws {
        var account = Account("acme", created: Self.now)
        account.boosts = [boost("small", try Multiplier("1.5"), from: 0, to: 100), boost("large", 3, from: 20, to: 50)]
        if reversed { account.boosts.reverse() }
        let counted = [0, 19, 20, 49, 50, 99, 100].map { account.boost(at: at($0))?.id }
        #expect(counted == ["small", "small", "large", "large", "small", "small", nil])
        #expect(try account.subject(at: at(30)).boost == 3)
        #expect(try account.subject(at: at(100)).boost == 1)
    }

    @Test("Multipliers are compared as numbers, and not as text")
    func numbers() throws {
        var account = Account("acme", created: Self.now)
        for factor in ["9", "10", "9.99"] { account.boosts.append(boost("x\(factor)", try Multiplier(factor), from: 0, to: 10)) }
        #expect(account.boost(at: Self.now)?.id == "x10")
    }

    @Test("An override holds up to its end, which it does not include, or for good")
    func overrides() throws {
        let half = AccountOverride(.unlimited, until: at(10))
        let account = Account("acme", created: Self.now, overrides: ["read": half, "write": AccountOverride(.multiplied(2))])
        #expect(account.overrides(at: at(9)).keys.sorted() == ["read", "write"])
        #expect(account.overrides(at: at(10)) == ["write": .multiplied(2)])
        #expect(try account.subject(at: at(10)).overrides == ["write": .multiplied(2)])
    }

    @Test("The limiter sees the account's name, tier, key, permissions and address")
    func subject() throws {
        let account = Account("acme", tier: "pro", created: Self.now)
        let address = try Identity(.address, "192.0.2.1")
        let subject = try account.subject(at: Self.now, permissions: ["boost"], key: "abcdefgh", address: address)
        #expect(subject.identity.tag == "a:acme" && subject.tier == "pro" && subject.permissions == ["boost"])
        #expect(subject.key == "abcdefgh" && subject.address == address && subject.overrides.isEmpty)
    }

    @Test("Boosts are counted by calendar months of UTC")
    func months() throws {
        func month(_ text: String) throws -> String { try #require(StoreTime(rfc3339: text)).calendarMonth }
        #expect(try month("2026-11-30T23:59:59Z") == "2026-11")
        #expect(try month("2026-12-01T00:00:00Z") == "2026-12")
        #expect(try month("2026-12-01T00:30:00+01:00") == "2026-11")
        let december = try #require(StoreTime(rfc3339: "2026-12-01T00:00:00Z"))
        #expect(StoreTime(microseconds: december.microseconds - 1).calendarMonth == "2026-11")
    }
}
