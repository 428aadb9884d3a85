import HTTPTypes
import Testing

@testable import HeadgateClient

@Suite("What an answer's header fields say of limits")
struct FieldTests {
    @Test("X-RateLimit: a reset that is an instant and one that is a time from now are told apart")
    func epochAndDelta() {
        for (reset, expected) in [("1640998800", Duration.seconds(3_600)), ("60", .seconds(60)), ("1640998800000", .seconds(3_600))] {
            let fields = [
                "X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "999", "X-RateLimit-Reset": reset, "X-RateLimit-Window": "3600",
            ]
            let quotas = read(200, fields).quotas
            #expect(
                quotas == [
                    QuotaReading(name: "x-ratelimit 1000", limit: 1_000, remaining: 999, reset: expected, window: .seconds(3_600))
                ]
            )
        }
    }

    @Test("An instant that has passed is no time at all")
    func pastReset() {
        let quotas = read(200, ["X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1540998800"]).quotas
        #expect(quotas.first?.reset == .zero)
    }

    @Test("GitHub's limits are told apart by their resource; Envoy's list begins with the one that binds")
    func namedLimits() {
        let github = read(200, ["X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999", "X-RateLimit-Resource": "core"])
        #expect(github.quotas.first?.name == "x-ratelimit core")
        let envoy = read(
            200,
            ["X-RateLimit-Limit": #"10, 10;w=1;name="per-ip", 1000;w=3600"#, "X-RateLimit-Remaining": "9", "X-RateLimit-Reset": "1"]
        )
        #expect(envoy.quotas == [QuotaReading(name: "x-ratelimit 10", limit: 10, remaining: 9, reset: .seconds(1))])
    }

    @Test("RateLimit, generation A")
    func generationA() {
        let fields = [
            "RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "50", "RateLimit-Reset": "5", "RateLimit-Policy": "100;w=60",
        ]
        let expected = QuotaReading(name: "ratelimit 100", limit: 100, remaining: 50, reset: .seconds(5), window: .seconds(60))
        #expect(read(200, fields).quotas == [expected])
    }

    @Test("RateLimit, generation B")
    func generationB() {
        let fields = ["RateLimit": "limit=100, remaining=50, reset=5", "RateLimit-Policy": "100;w=10"]
        let expected = QuotaReading(name: "ratelimit 100", limit: 100, remaining: 50, reset: .seconds(5), window: .seconds(10))
        #expect(read(200, fields).quotas == [expected])
    }

    @Test("RateLimit, generation C: several limits, their windows and units")
    func generationC() {
        let fields = [
            "RateLimit-Policy":
                #""burst";q=100;w=60, "daily";q=1000;w=86400, "inflight";q=20;qu="concurrent-requests", "b";q=9;qu="content-bytes""#,
            "RateLimit": #""burst";r=0;t=12, "daily";r=640;t=36400;pk=:dHJpYWwxMjEzMjM=:, "inflight";r=19, "b";r=1"#,
        ]
        #expect(
            read(200, fields).quotas == [
                QuotaReading(name: "policy burst", limit: 100, remaining: 0, reset: .seconds(12), window: .seconds(60)),
                QuotaReading(name: "policy daily", limit: 1_000, remaining: 640, reset: .seconds(36_400), window: .seconds(86_400)),
                QuotaReading(name: "policy inflight", unit: .concurrency, limit: 20, remaining: 19),
                QuotaReading(name: "policy b", unit: .other, limit: 9, remaining: 1),
            ]
        )
    }

    @Test("OpenAI's durations, Anthropic's timestamps, Kong's periods")
    func vendors() {
        let openAI = read(
            200,
            [
                "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "6m0s",
                "x-ratelimit-limit-tokens": "150000", "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "12ms",
            ]
        )
        #expect(
            Set(openAI.quotas) == [
                QuotaReading(name: "requests", limit: 60, remaining: 59, reset: .seconds(360)),
                QuotaReading(name: "tokens", unit: .other, limit: 150_000, remaining: 149_984, reset: .milliseconds(12)),
            ]
        )
        let anthropic = read(
            200,
            [
                "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
                "anthropic-ratelimit-requests-reset": "2022-01-01T00:01:00Z",
            ]
        )
        #expect(anthropic.quotas == [QuotaReading(name: "requests", limit: 50, remaining: 49, reset: .seconds(60))])
        let kong = read(200, ["X-RateLimit-Limit-Minute": "5", "X-RateLimit-Remaining-Minute": "4"])
        #expect(kong.quotas == [QuotaReading(name: "minute", limit: 5, remaining: 4, window: .seconds(60))])
    }

    @Test(
        "Malformed fields are ignored",
        arguments: [
            ["X-RateLimit-Limit": "ten", "X-RateLimit-Remaining": "many"], ["X-RateLimit-Remaining": "-1"],
            ["X-RateLimit-Limit": "0", "X-RateLimit-Remaining": "7"], ["X-RateLimit-Remaining": "99999999999999999999999"],
            ["x-ratelimit-remaining-requests": "-1", "x-ratelimit-limit-requests": "0"], ["RateLimit": #""a";r=-1"#],
            ["RateLimit": #""a";r=1, "b""#], ["RateLimit": "\"a;;;;"], ["RateLimit-Remaining": "1e9"], ["RateLimit": "remaining=?1"],
        ]
    )
    func malformed(fields: [String: String]) {
        let reading = read(200, fields)
        #expect(reading.quotas == [])
        #expect(reading.outcome == .served)
    }

    @Test("A garbage policy leaves what RateLimit says, without limit and window")
    func garbagePolicy() {
        let reading = read(200, ["RateLimit": #""a";r=3;t=1"#, "RateLimit-Policy": "%%%"])
        #expect(reading.quotas == [QuotaReading(name: "policy a", remaining: 3, reset: .seconds(1))])
    }
}
