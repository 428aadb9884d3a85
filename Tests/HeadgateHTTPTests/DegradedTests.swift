import HTTPTypes
import Headgate
import HeadgateHTTP
import Testing

@Suite("Answers without the store")
struct DegradedTests {
    static let styles: [ResponseStyle] = ResponseStyle.ErrorBody.allCases.map {
        ResponseStyle(headers: [.xRateLimit, .ietf], errorBody: $0)
    }

    @Test("An answer that fails open names the reason and nothing else")
    func open() throws {
        let decision = try Decision.degraded(.allowed)
        #expect(decision.headerFields(Self.styles[0]).lines == ["X-Headgate-Degraded: deadline_exceeded"])
        #expect(Self.styles[0].refusal(for: decision) == nil)
    }

    @Test("Not even a limit that was judged is described")
    func judged() throws {
        let error = LimiterError(.clusterDown, "slot 7 is not served")
        let decision = Decision(outcome: .allowed, limits: [try .hourly()], time: halfPastTen, degradation: error)
        #expect(decision.headerFields(Self.styles[0]).lines == ["X-Headgate-Degraded: cluster_down"])
    }

    @Test("An answer that fails closed is 503, to be retried in a second, and never 429", arguments: styles)
    func closed(style: ResponseStyle) throws {
        let refusal = try #require(style.refusal(for: try Decision.degraded(.unavailable, .dns)))
        #expect(refusal.status == .serviceUnavailable)
        #expect(
            refusal.headerFields.lines == [
                "Retry-After: 1", "X-Headgate-Degraded: dns", "Content-Type: \(style.errorBody.contentType)",
            ]
        )
        #expect(!refusal.text.contains("redis"))
    }

    @Test(
        "The 503 bodies",
        arguments: [
            (
                ResponseStyle.ErrorBody.nested,
                #"{"error":"SERVICE_UNAVAILABLE","message":"Rate limiting is temporarily unavailable","code":503,"#
                    + #""details":{"retry_after":1}}"#
            ),
            (
                .flat,
                #"{"status":503,"error":"Service Unavailable","#
                    + #""message":"Rate limiting is temporarily unavailable. Please try again in 1 second.","retry_after":1}"#
            ),
            (
                .problem,
                #"{"type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity","#
                    + #""title":"Request cannot be satisfied due to temporary server capacity constraints","status":503,"#
                    + #""detail":"Rate limiting is temporarily unavailable. Please try again in 1 second."}"#
            ),
        ]
    )
    func bodies(errorBody: ResponseStyle.ErrorBody, expected: String) throws {
        let style = ResponseStyle(errorBody: errorBody)
        #expect(style.refusal(for: try Decision.degraded(.unavailable))?.text == expected)
        #expect(style.refusal(for: LimiterError(.connect, "redis-7.internal:6379")).text == expected)
    }
}
