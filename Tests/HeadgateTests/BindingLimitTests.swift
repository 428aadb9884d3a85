import Headgate
import Testing

@Suite("The binding limit")
struct BindingLimitTests {
    static func status(
        _ id: String,
        role: AppliedLimit.Role = .operationClass,
        verdict: LimitStatus.Verdict = .allowed,
        limit: Int64 = 100,
        remaining: Int64,
        retry: Duration? = .zero,
        slots: Bool = false
    ) throws -> LimitStatus {
        let algorithm: Algorithm = slots ? try .concurrency(limit) : try .fixedWindow(limit, per: .seconds(3_600))
        return LimitStatus(id: id, name: id, role: role, verdict: verdict, algorithm: algorithm, remaining: remaining, retryAfter: retry)
    }

    func binding(_ outcome: Decision.Outcome, _ limits: [LimitStatus]) -> String? {
        Decision(outcome: outcome, limits: limits, time: StoreTime(microseconds: 0)).bindingLimit?.id
    }

    @Test("on a denial is the one to wait for longest")
    func longestWait() throws {
        let limits = [
            try Self.status("a", verdict: .denied, remaining: 0, retry: .seconds(5)),
            try Self.status("b", verdict: .denied, remaining: 0, retry: .seconds(50)),
            try Self.status("c", remaining: 1, retry: .seconds(500)),
        ]
        #expect(binding(.denied, limits) == "b")
    }

    @Test("on a denial is a permanent one first of all")
    func permanent() throws {
        let limits = [
            try Self.status("a", verdict: .denied, remaining: 0, retry: .seconds(5)),
            try Self.status("b", verdict: .denied, remaining: 0, retry: nil),
        ]
        #expect(binding(.denied, limits) == "b")
    }

    @Test("of an allowed answer has the smallest share left")
    func smallestShare() throws {
        let limits = [try Self.status("a", limit: 1_000, remaining: 400), try Self.status("b", limit: 10, remaining: 5)]
        #expect(binding(.allowed, limits) == "a")
    }

    @Test("of an allowed answer is the endpoint's on a tie, then the first")
    func ties() throws {
        let limits = [
            try Self.status("a", remaining: 50),
            try Self.status("b", role: .endpoint, remaining: 50),
            try Self.status("c", role: .endpoint, remaining: 50),
        ]
        #expect(binding(.allowed, limits) == "b")
        #expect(binding(.allowed, [limits[0], try Self.status("d", remaining: 50)]) == "a")
    }

    @Test("of an allowed answer is never concurrency, shadow or unlimited")
    func neverBinding() throws {
        let limits = [
            try Self.status("slots", role: .concurrency, limit: 2, remaining: 0, slots: true),
            try Self.status("shadow", verdict: .wouldDeny, remaining: 0),
            try Self.status("a", remaining: 99),
        ]
        #expect(binding(.allowed, limits) == "a")
        #expect(binding(.allowed, Array(limits.prefix(2))) == nil)
    }

    @Test("tells the reset: when more comes, or on a denial when the request fits")
    func reset() throws {
        let status = LimitStatus(
            id: "a",
            name: "a",
            role: .endpoint,
            verdict: .denied,
            algorithm: try .fixedWindow(10, per: .seconds(60)),
            remaining: 1,
            nextUnit: .seconds(3),
            full: .seconds(9),
            retryAfter: .seconds(5)
        )
        let time = StoreTime(microseconds: 1_000_000)
        #expect(Decision(outcome: .denied, limits: [status], time: time).resetTime == StoreTime(microseconds: 6_000_000))
        let allowed = LimitStatus(
            id: "a",
            name: "a",
            role: .endpoint,
            verdict: .allowed,
            algorithm: try .fixedWindow(10, per: .seconds(60)),
            remaining: 1,
            nextUnit: .seconds(3),
            full: .seconds(9),
            retryAfter: .zero
        )
        #expect(Decision(outcome: .allowed, limits: [allowed], time: time).resetTime == StoreTime(microseconds: 4_000_000))
        #expect(StoreTime(microseconds: 4_000_001).epochSecondsRoundedUp == 5)
    }
}
