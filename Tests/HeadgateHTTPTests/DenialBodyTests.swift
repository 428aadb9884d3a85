import HTTPTypes
import Headgate
import HeadgateHTTP
import Testing

@Suite("429 bodies")
struct DenialBodyTests {
    @Test("The nested body is the first seed's")
    func nested() throws {
        let seed = """
            {
                "error": "RATE_LIMIT_EXCEEDED",
                "message": "Rate limit exceeded for endpoint",
                "code": 429,
                "details": {
                    "limit": 100,
                    "remaining": 0,
                    "reset_at": "2024-01-15T11:00:00Z",
                    "retry_after": 1800
                }
            }
            """
        let refusal = try #require(ResponseStyle().refusal(for: .denied([try .exhausted()])))
        #expect(refusal.text == compact(seed))
        #expect(refusal.status == .tooManyRequests)
        #expect(refusal.headerFields[.contentType] == "application/json")
        #expect(refusal.headerFields[.xRateLimitReset] == "1705316400")
        #expect(refusal.headerFields[.retryAfter] == "1800")
    }

    @Test("The flat body is the second seed's")
    func flat() throws {
        let seed = """
            {
            "status": 429,
            "error": "Too Many Requests",
            "message": "Rate limit exceeded. Please try again in 15 seconds.",
            "retry_after": 15
            }
            """
        let style = ResponseStyle(errorBody: .flat)
        let refusal = try #require(style.refusal(for: .denied([try .exhausted(retryAfter: .microseconds(14_000_001))])))
        #expect(refusal.text == compact(seed))
        #expect(refusal.headerFields[.contentType] == "application/json")
        let second = try #require(style.refusal(for: .denied([try .exhausted(retryAfter: .seconds(1))])))
        #expect(
            second.text
                == #"{"status":429,"error":"Too Many Requests","#
                + #""message":"Rate limit exceeded. Please try again in 1 second.","retry_after":1}"#
        )
    }

    @Test("The problem names every limit that denies, as RateLimit-Policy does, and no other")
    func problem() throws {
        let style = ResponseStyle(headers: [.ietf], errorBody: .problem)
        let limits = [
            try LimitStatus.exhausted("daily"), try .hourly("read"), try .exhausted("band\"width", retryAfter: .seconds(15)),
            try .hourly("trial", verdict: .wouldDeny, remaining: 0), .unlimited,
        ]
        let refusal = try #require(style.refusal(for: .denied(limits)))
        #expect(
            refusal.text
                == #"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","#
                + #""title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"#
                + #""detail":"Rate limit exceeded. Please try again in 1800 seconds.","violated-policies":["daily","band\"width"]}"#
        )
        #expect(refusal.headerFields[.contentType] == "application/problem+json")
    }

    @Test(
        "A permanent denial says so, and gives no time",
        arguments: [
            (
                ResponseStyle.ErrorBody.nested,
                #"{"error":"RATE_LIMIT_EXCEEDED","message":"The request exceeds what the limit can ever allow","code":429,"#
                    + #""details":{"limit":100,"remaining":0}}"#
            ),
            (
                .flat,
                #"{"status":429,"error":"Too Many Requests","#
                    + #""message":"Rate limit exceeded. The request exceeds what the limit can ever allow."}"#
            ),
            (
                .problem,
                #"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","#
                    + #""title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"#
                    + #""detail":"Rate limit exceeded. The request exceeds what the limit can ever allow.","violated-policies":["read"]}"#
            ),
        ]
    )
    func permanent(errorBody: ResponseStyle.ErrorBody, expected: String) throws {
        let refusal = ResponseStyle(errorBody: errorBody).refusal(for: .denied([try .exhausted(retryAfter: nil)]))
        #expect(refusal?.text == expected)
        #expect(refusal?.status == .tooManyRequests)
        #expect(refusal?.headerFields[.retryAfter] == nil)
    }

    @Test("An allowed request has no refusal", arguments: ResponseStyle.ErrorBody.allCases)
    func allowed(errorBody: ResponseStyle.ErrorBody) throws {
        #expect(ResponseStyle(errorBody: errorBody).refusal(for: .allowed([try .hourly()])) == nil)
    }
}
