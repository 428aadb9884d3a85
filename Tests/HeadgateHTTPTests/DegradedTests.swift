import HTTPTypes
import Headgate
import HeadgateHTTP
import RawStructuredFieldValues
import Testing

@Suite("Answers without the store")
struct DegradedTests {
    static let styles: [ResponseStyle] = ResponseStyle.ErrorBody.allCases.map {
        ResponseStyle(headers: [.xRateLimit, .ietf], errorBody: $0)
    }

    @Test("An answer that fails open names the reason and nothing else")
    func open() throws {
        let decision = try Decision.degraded(.allowed)
        #expect(decision.headerFields(Self.styles[0]).lines == ["X-Headgate-Degraded: deadline_exceeded;policy=open"])
        #expect(Self.styles[0].refusal(for: decision) == nil)
    }

    @Test("Not even a limit that was judged is described")
    func judged() throws {
        let error = LimiterError(.clusterDown, "slot 7 is not served")
        let decision = Decision(outcome: .allowed, limits: [try .hourly()], time: halfPastTen, degradation: error)
        #expect(decision.headerFields(Self.styles[0]).lines == ["X-Headgate-Degraded: cluster_down;policy=open"])
    }

    @Test("An answer that fails closed is 503, to be retried in a second, and never 429", arguments: styles)
    func closed(style: ResponseStyle) throws {
        let refusal = try #require(style.refusal(for: try Decision.degraded(.unavailable, .dns)))
        #expect(refusal.status == .serviceUnavailable)
        #expect(
            refusal.headerFields.lines == [
                "Retry-After: 1", "X-Headgate-Degraded: dns;policy=closed", "Content-Type: \(style.errorBody.contentType)",
            ]
        )
        #expect(!refusal.text.contains("redis"))
    }

    @Test("A share's denial is a 429 to be retried in a second, without the fields that describe limits", arguments: styles)
    func local(style: ResponseStyle) throws {
        let refusal = try #require(style.refusal(for: try Decision.deniedLocally()))
        #expect(refusal.status == .tooManyRequests)
        #expect(
            refusal.headerFields.lines == [
                "Retry-After: 1", "X-Headgate-Degraded: connect;policy=local", "Content-Type: \(style.errorBody.contentType)",
            ]
        )
    }

    @Test("The body of a share's denial names the customer's limit, what is left of the share, and no instant")
    func localBody() throws {
        let expected =
            #"{"error":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded for endpoint","code":429,"#
            + #""details":{"limit":100,"remaining":0,"retry_after":1}}"#
        #expect(ResponseStyle(errorBody: .nested).refusal(for: try Decision.deniedLocally())?.text == expected)
    }

    @Test("A share without room to be counted is 503, and says by what policy")
    func overloaded() throws {
        let decision = Decision(
            outcome: .unavailable,
            limits: [],
            time: nil,
            degradation: LimiterError(.overloaded, "no room"),
            degradedBy: .local
        )
        let refusal = try #require(ResponseStyle().refusal(for: decision))
        #expect(refusal.status == .serviceUnavailable)
        #expect(refusal.headerFields[.headgateDegraded] == "overloaded;policy=local" && refusal.headerFields[.retryAfter] == "1")
    }

    @Test("The field is a structured item: a token with the policy as its parameter")
    func structured() throws {
        let field = try #require(Decision.deniedLocally().headerFields(ResponseStyle())[.headgateDegraded])
        var parser = StructuredFieldValueParser(Array(field.utf8))
        let item = try parser.parseItemFieldValue()
        #expect(item.rfc9651BareItem == .token("connect") && item.rfc9651Parameters["policy"] == .token("local"))
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
