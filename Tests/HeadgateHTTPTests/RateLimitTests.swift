import HTTPTypes
import Headgate
import HeadgateHTTP
import RawStructuredFieldValues
import Testing

@Suite("RateLimit fields")
struct RateLimitTests {
    let style = ResponseStyle(headers: [.ietf])

    private func parse(_ value: String?) throws -> [Item] {
        var parser = StructuredFieldValueParser(Array(try #require(value).utf8))
        return try parser.parseListFieldValue().map { element in
            guard case .item(let item) = element else { throw LimiterError(.wireProtocol, "an inner list") }
            return item
        }
    }

    @Test("The draft's burst and daily example")
    func draftExample() throws {
        let limits = [
            try LimitStatus.hourly("burst", verdict: .denied, window: .seconds(60), remaining: 0, retryAfter: .microseconds(11_000_001)),
            try .hourly("daily", units: 1_000, window: .seconds(86_400), remaining: 640, nextUnit: .seconds(36_400)),
        ]
        #expect(
            Decision.denied(limits).headerFields(style).lines == [
                #"RateLimit-Policy: "burst";q=100;w=60, "daily";q=1000;w=86400"#,
                #"RateLimit: "burst";r=0;t=12, "daily";r=640;t=36400"#,
                "Retry-After: 12",
            ]
        )
    }

    @Test("Concurrent requests have a unit, no window, and a time only when they deny")
    func concurrency() throws {
        let read = try LimitStatus.hourly(units: 1_000, remaining: 999, nextUnit: .microseconds(11_000_001))
        let allowed = Decision.allowed([read, try .slots()]).headerFields(style)
        #expect(allowed[.rateLimitPolicy] == #""read";q=1000;w=3600, "concurrency";q=20;qu="concurrent-requests""#)
        #expect(allowed[.rateLimit] == #""read";r=999;t=12, "concurrency";r=19"#)
        let denied = Decision.denied([read, try .slots(.denied, remaining: 0, retryAfter: .milliseconds(300))]).headerFields(style)
        #expect(denied[.rateLimit] == #""read";r=999;t=12, "concurrency";r=0;t=1"#)
    }

    @Test("Unlimited and shadow limits are not listed")
    func unlisted() throws {
        let limits = [LimitStatus.unlimited, try .hourly("trial", verdict: .wouldDeny, remaining: 0), try .shadow(), try .hourly("write")]
        let fields = Decision.allowed(limits).headerFields(style)
        #expect(fields[.rateLimitPolicy] == #""write";q=100;w=3600"#)
        #expect(fields[.rateLimit] == #""write";r=99;t=1800"#)
        #expect(Decision.allowed(Array(limits.prefix(3))).headerFields(style).isEmpty)
    }

    @Test("A request that never fits has no time")
    func permanent() throws {
        let fields = Decision.denied([try .exhausted(retryAfter: nil), try .exhausted("write")]).headerFields(style)
        #expect(fields.lines.last == #"RateLimit: "read";r=0, "write";r=0;t=1800"#)
    }

    @Test("Both families stand side by side")
    func both() throws {
        let names = Decision.allowed([try .hourly()]).headerFields(ResponseStyle(headers: [.ietf, .xRateLimit])).map(\.name.rawName)
        #expect(
            names == [
                "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window", "RateLimit-Policy", "RateLimit",
            ]
        )
    }

    @Test("Whatever the ids and numbers, the library's parser reads back what was said")
    func parseBack() throws {
        var random = Seeded(state: 1)
        let characters = (0x21...0x7E).map { Character(Unicode.Scalar($0)) }
        for _ in 0..<300 {
            let limits = try (0..<Int.random(in: 1...4, using: &random)).map { _ in
                try LimitStatus.hourly(
                    String((0..<Int.random(in: 1...128, using: &random)).map { _ in characters.randomElement(using: &random) ?? "x" }),
                    window: .microseconds(Int64.random(in: 1_000...34_560_000_000_000, using: &random)),
                    remaining: .random(in: -1 ... .max, using: &random),
                    nextUnit: .microseconds(Int64.random(in: 0...34_560_000_000_000, using: &random))
                )
            }
            let fields = Decision.allowed(limits).headerFields(style)
            let policy = try parse(fields[.rateLimitPolicy])
            let state = try parse(fields[.rateLimit])
            #expect(policy.map(\.rfc9651BareItem) == limits.map { .string($0.id) })
            #expect(state.map(\.rfc9651BareItem) == limits.map { .string($0.id) })
            for (index, limit) in limits.enumerated() {
                let window = try #require(limit.window?.wholeMicroseconds)
                let unit = limit.nextUnit.wholeMicroseconds
                #expect(policy[index].rfc9651Parameters["q"] == .integer(100))
                #expect(policy[index].rfc9651Parameters["w"] == .integer((window + 999_999) / 1_000_000))
                #expect(state[index].rfc9651Parameters["t"] == .integer((unit + 999_999) / 1_000_000))
                let remaining = try #require(limit.remaining)
                #expect(state[index].rfc9651Parameters["r"] == .integer(max(0, min(remaining, 999_999_999_999_999))))
            }
        }
    }

    @Test("A name that is no legal String takes the fields with it, never half of them")
    func illegalName() throws {
        #expect(Decision.allowed([try .hourly("täglich"), try .hourly()]).headerFields(style).isEmpty)
    }
}
