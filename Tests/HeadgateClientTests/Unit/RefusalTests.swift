import HTTPTypes
import Testing

@testable import HeadgateClient

@Suite("How long a refusal asks to wait")
struct RefusalTests {
    @Test("Retry-After in seconds and as a date, in each of its three forms")
    func retryAfter() {
        #expect(read(429, ["Retry-After": "60"]).retryAfter == .seconds(60))
        for date in ["Sat, 01 Jan 2022 00:01:00 GMT", "Saturday, 01-Jan-22 00:01:00 GMT", "Sat Jan  1 00:01:00 2022"] {
            #expect(read(503, ["Retry-After": date]).retryAfter == .seconds(60))
        }
        #expect(read(429, ["retry-after-ms": "250"]).retryAfter == .milliseconds(250))
    }

    @Test("A date in the past is no time; a day is a day; garbage says nothing")
    func extremes() {
        #expect(read(429, ["Retry-After": "Fri, 01 Jan 2021 00:00:00 GMT"]).retryAfter == .zero)
        #expect(read(429, ["Retry-After": "86400"]).retryAfter == .seconds(86_400))
        #expect(read(429, ["Retry-After": "99999999999999999999"]).retryAfter == FieldText.longestTime)
        for garbage in ["soon", "-5", "", "Sat, 41 Jan 2022 00:01:00 GMT", "1e3", "0x10"] {
            #expect(read(429, ["Retry-After": garbage]).retryAfter == nil)
        }
    }

    @Test("Both seeds' bodies")
    func bodies() {
        let first =
            #"{"error":"RATE_LIMIT_EXCEEDED","code":429,"details":{"limit":100,"reset_at":"2022-01-01T00:30:00Z","retry_after":1800}}"#
        #expect(read(429, [:], body: first).retryAfter == .seconds(1_800))
        let second = #"{"status":429,"error":"Too Many Requests","message":"Rate limit exceeded.","retry_after":15}"#
        #expect(read(429, [:], body: second).retryAfter == .seconds(15))
        #expect(read(429, [:], body: #"{"details":{"reset_at":"2022-01-01T00:30:00Z"}}"#).retryAfter == .seconds(1_800))
        #expect(read(429, [:], body: #"{"retry_after":"#).retryAfter == nil)
        #expect(read(429, [:], body: #"{"retry_after":true,"reset_at":7}"#).retryAfter == nil)
    }

    @Test("The field counts before the body, and both before a limit's reset")
    func order() {
        let fields = ["Retry-After": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9"]
        #expect(read(429, fields, body: #"{"retry_after":5}"#).retryAfter == .seconds(1))
        #expect(read(429, ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9"]).retryAfter == .seconds(9))
    }

    @Test("GitHub denies with 403 when its headers say so; other 403s are answers")
    func forbidden() {
        #expect(read(403, ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"]).outcome == .limited)
        #expect(read(403, ["Retry-After": "60"]).outcome == .limited)
        #expect(read(403, ["X-RateLimit-Remaining": "17"]).outcome == .served)
        #expect(read(403, [:]).outcome == .served)
    }

    @Test("The server's Date corrects a local clock that is wrong")
    func wrongClock() {
        // Our clock is an hour slow.
        let fields = ["Date": "Sat, 01 Jan 2022 01:00:00 GMT", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1640998860"]
        #expect(read(200, fields, at: 1_640_995_200).quotas.first?.reset == .seconds(60))
        // An hour fast.
        let slow = ["Date": "Sat, 01 Jan 2022 00:00:00 GMT", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1640995260"]
        let reset = read(200, slow, at: 1_640_998_800).quotas.first?.reset ?? .zero
        #expect(reset > .seconds(57) && reset <= .seconds(60))
    }

    @Test("A clock that agrees within the Date's seconds is believed as it is")
    func rightClock() {
        var clock = ServerClock()
        for millisecond in stride(from: 0, to: 5_000, by: 137) {
            let now = Duration.milliseconds(1_640_995_200_000 + millisecond)
            clock.observe(date: now.components.seconds, sent: now - .milliseconds(5), received: now)
            #expect(clock.correction == .zero)
        }
        // Set back by an hour meanwhile.
        clock.observe(date: 1_640_995_300, sent: .seconds(1_640_991_600), received: .seconds(1_640_991_600))
        #expect(clock.correction == .seconds(3_700))
    }

    @Test("A date is written as it is read")
    func dates() {
        for second: Int64 in [0, 784_111_777, 951_827_696, 1_640_995_200, 4_102_444_799] {
            #expect(HTTPDate.epochSecond(HTTPDate.text(epochSecond: second)) == second)
        }
        #expect(HTTPDate.text(epochSecond: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }
}
