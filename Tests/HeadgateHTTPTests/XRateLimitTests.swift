import HTTPTypes
import Headgate
import HeadgateHTTP
import Testing

@Suite("X-RateLimit fields")
struct XRateLimitTests {
    let style = ResponseStyle()

    @Test("An allowed answer has the first seed's fields, spelled as there, and no Retry-After")
    func allowed() throws {
        let status = try LimitStatus.hourly(units: 1_000, remaining: 999, nextUnit: .seconds(3_600))
        let time = StoreTime(microseconds: (1_640_998_800 - 3_600) * 1_000_000)
        #expect(
            Decision.allowed([status], at: time).headerFields(style).lines == [
                "X-RateLimit-Limit: 1000",
                "X-RateLimit-Remaining: 999",
                "X-RateLimit-Reset: 1640998800",
                "X-RateLimit-Window: 3600",
            ]
        )
    }

    @Test("A denial resets when the request fits, not when the next unit comes, and says when to retry")
    func denied() throws {
        #expect(
            Decision.denied([try .exhausted()]).headerFields(style).lines == [
                "X-RateLimit-Limit: 100",
                "X-RateLimit-Remaining: 0",
                "X-RateLimit-Reset: 1705316400",
                "X-RateLimit-Window: 3600",
                "Retry-After: 1800",
            ]
        )
    }

    @Test("A permanent denial has neither Retry-After nor Reset: no time would do")
    func permanent() throws {
        let status = try LimitStatus.hourly(verdict: .denied, remaining: 40, retryAfter: nil)
        #expect(
            Decision.denied([status]).headerFields(style).lines == [
                "X-RateLimit-Limit: 100",
                "X-RateLimit-Remaining: 40",
                "X-RateLimit-Window: 3600",
            ]
        )
    }

    @Test("The second seed's policy sends no window")
    func noWindow() throws {
        let style = ResponseStyle(windowHeader: .omitted)
        let names = Decision.allowed([try .hourly()]).headerFields(style).map(\.name.rawName)
        #expect(names == ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"])
    }

    @Test("A denial by a concurrency limit has no window")
    func concurrency() throws {
        let slots = try LimitStatus.slots(.denied, remaining: 0, retryAfter: .seconds(1))
        #expect(
            Decision.denied([try .hourly(), slots]).headerFields(style).lines == [
                "X-RateLimit-Limit: 20",
                "X-RateLimit-Remaining: 0",
                "X-RateLimit-Reset: 1705314601",
                "Retry-After: 1",
            ]
        )
    }

    @Test("Several denying limits: the fields are those of the longest wait")
    func several() throws {
        let limits = [
            try LimitStatus.exhausted("short", retryAfter: .seconds(2)), try .exhausted("long", retryAfter: .seconds(60)),
            try .hourly("free", remaining: 3),
        ]
        let fields = Decision.denied(limits).headerFields(style)
        #expect(fields[.retryAfter] == "60")
        #expect(fields[.xRateLimitReset] == "1705314660")
    }

    @Test(
        "Unlimited, shadow and concurrency limits describe no allowed answer",
        arguments: try [[.unlimited], [.hourly(verdict: .wouldDeny, remaining: 0)], [.shadow()], [.slots()], []] as [[LimitStatus]]
    )
    func nothingLimited(limits: [LimitStatus]) {
        #expect(Decision.allowed(limits).headerFields(style).isEmpty)
    }

    @Test("A limit with room binds beside unlimited and shadow ones")
    func shadowBeside() throws {
        let limits = [try LimitStatus.hourly(verdict: .wouldDeny, remaining: 0), .unlimited, try .hourly("write", remaining: 50)]
        #expect(Decision.allowed(limits).headerFields(style)[.xRateLimitRemaining] == "50")
    }

    @Test("Sub-second windows and instants are rounded up")
    func rounding() throws {
        let status = try LimitStatus.hourly(window: .milliseconds(1_500), nextUnit: .microseconds(1))
        let fields = Decision.allowed([status]).headerFields(style)
        #expect(fields[.xRateLimitWindow] == "2")
        #expect(fields[.xRateLimitReset] == "1705314601")
        let short = try LimitStatus.hourly(units: 10, window: .milliseconds(10), remaining: 9, nextUnit: .zero)
        #expect(Decision.allowed([short]).headerFields(style)[.xRateLimitWindow] == "1")
        #expect(Decision.allowed([short]).headerFields(style)[.xRateLimitReset] == "1705314600")
    }

    @Test("A wait of less than a second is one second, on every denial")
    func shortWait() throws {
        let fields = Decision.denied([try .exhausted(retryAfter: .microseconds(1))]).headerFields(ResponseStyle(headers: []))
        #expect(fields.lines == ["Retry-After: 1"])
    }
}
