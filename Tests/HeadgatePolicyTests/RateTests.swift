import Headgate
import HeadgatePolicy
import Testing

@Suite("Rates, times and factors as text")
struct RateTests {
    @Test(
        "Short forms",
        arguments: [
            ("100/hour", 100, Duration.seconds(3_600), nil), ("5/day", 5, .seconds(86_400), nil),
            ("20 per 15 minutes", 20, .seconds(900), nil),
            ("10/second burst 50", 10, .seconds(1), 50), ("100/15m", 100, .seconds(900), nil), ("7 per week", 7, .seconds(604_800), nil),
            ("3/250ms", 3, .milliseconds(250), nil), ("1 per 2 days burst 3", 1, .seconds(172_800), 3), ("0/hour", 0, .seconds(3_600), nil),
            ("100 / hour", 100, .seconds(3_600), nil), ("2/w", 2, .seconds(604_800), nil),
        ] as [(String, Int64, Duration, Int64?)]
    )
    func short(_ text: String, _ units: Int64, _ window: Duration, _ burst: Int64?) throws {
        #expect(try Rate(text) == .limited(Quota(units: units, per: window, burst: burst)))
    }

    @Test("Words")
    func words() throws {
        #expect(try Rate("unlimited") == .unlimited)
        #expect(try Rate("custom") == .custom)
        #expect(try Rate("0") == .nothing)
    }

    @Test(
        "What is no rate is refused, and repeated in the message",
        arguments: [
            "", "100", "-1/hour", "1,000/hour", "1.5/hour", "100/", "/hour", "100/fortnight", "100/hour/day", "100 hour", "100 per",
            "10/second burst",
            "10/second burst x", "burst 5", "99999999999999999999/hour", "1/9999999999999999w", "unlimitd", "+1/hour", "١/hour",
        ]
    )
    func noRate(_ text: String) {
        let error = #expect(throws: LimiterError.self) { try Rate(text) }
        #expect(error?.code == .invalidLimit)
        #expect(error?.message.hasSuffix("found '\(text)'") == true)
    }

    @Test(
        "A rate reads what it writes",
        arguments: ["100/hour", "20 per 15m", "10/second burst 50", "unlimited", "custom", "0", "3 per 250ms"]
    )
    func roundTrip(_ text: String) throws {
        #expect(try Rate(text).description == text)
    }

    @Test(
        "Times",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("1s", .seconds(1)), ("15m", .seconds(900)), ("1h", .seconds(3_600)),
            ("5d", .seconds(432_000)),
            ("15 minutes", .seconds(900)), ("1 hour", .seconds(3_600)), ("2 weeks", .seconds(1_209_600)), ("1 second", .seconds(1)),
        ]
    )
    func times(_ text: String, _ expected: Duration) throws {
        #expect(try Duration(readable: text) == expected)
    }

    @Test("What is no time is refused", arguments: ["", "1", "h", "1.5h", "-1s", "1 fortnight", "1h30m", "1H", "99999999999999999h"])
    func noTime(_ text: String) {
        #expect(throws: LimiterError.self) { try Duration(readable: text) }
    }

    @Test("Factors multiply exactly and round down at the end")
    func multipliers() throws {
        #expect(try Multiplier("1.1").scale(10) == 11)
        #expect(try Multiplier("0.29").scale(100) == 29)
        #expect(try Multiplier("2.5").scale(5) == 12)
        #expect(try Multiplier("0.1").times(Multiplier("0.1"))?.times(100) == 1)
        #expect(try Multiplier("1.50").description == "1.5")
        #expect(try Multiplier("0.05").description == "0.05")
        #expect(Multiplier(50).scale(.max) == nil)
        for text in ["", "0", "-1", "x", "1.", ".5", "1e3", "1000001", "1..2", "5x"] {
            #expect(throws: LimiterError.self) { try Multiplier(text) }
        }
    }

    @Test("Shares round down")
    func percentages() throws {
        #expect(try Percentage("20%").of(100) == 20)
        #expect(try Percentage("20%").of(4) == 0)
        #expect(try Percentage("12.5%").of(80) == 10)
        #expect(Percentage(0).of(.max) == 0)
        for text in ["", "20", "100%", "-1%", "%", "x%"] {
            #expect(throws: LimiterError.self) { try Percentage(text) }
        }
    }
}
