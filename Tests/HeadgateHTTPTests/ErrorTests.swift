import HTTPTypes
import Headgate
import HeadgateHTTP
import Testing

@Suite("Errors")
struct ErrorTests {
    static let secret = "redis-7.internal:6379 hg:{a:acme}:read local now = ARGV[1]"

    @Test(
        "A request that is wrong in itself is 400 with a code in snake case, and is not to be retried",
        arguments: [
            (LimiterError.Code.badRequest, "bad_request"), (.invalidPath, "invalid_path"), (.invalidLimit, "invalid_limit"),
            (.unknownTier, "unknown_tier"), (.customLimitMissing, "custom_limit_missing"),
        ]
    )
    func badRequest(code: LimiterError.Code, name: String) {
        for errorBody in ResponseStyle.ErrorBody.allCases {
            let refusal = ResponseStyle(errorBody: errorBody).refusal(for: LimiterError(code, "cost is 0"))
            #expect(refusal.status == .badRequest)
            #expect(refusal.headerFields.lines == ["Content-Type: \(errorBody.contentType)"])
            #expect(refusal.text.contains(#""code":"\#(name)""#))
        }
    }

    @Test(
        "The 400 bodies",
        arguments: [
            (
                ResponseStyle.ErrorBody.nested,
                #"{"error":"BAD_REQUEST","message":"cost is \"0\"","code":400,"details":{"code":"bad_request"}}"#
            ),
            (.flat, #"{"status":400,"error":"Bad Request","message":"cost is \"0\"","code":"bad_request"}"#),
            (
                .problem,
                #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"cost is \"0\"","code":"bad_request"}"#
            ),
        ]
    )
    func bodies(errorBody: ResponseStyle.ErrorBody, expected: String) {
        #expect(ResponseStyle(errorBody: errorBody).refusal(for: LimiterError(.badRequest, #"cost is "0""#)).text == expected)
    }

    @Test("What retrying does not mend is no 503")
    func others() {
        let style = ResponseStyle()
        #expect(style.refusal(for: LimiterError(.leaseLost, Self.secret)).status == .notFound)
        #expect(style.refusal(for: LimiterError(.alreadyRefunded, Self.secret)).status == .conflict)
        #expect(style.refusal(for: LimiterError(.noRules, Self.secret)).status == .internalServerError)
    }

    @Test(
        "Our own trouble is 503, to be retried in a second",
        arguments: [
            LimiterError.Code.cancelled, .deadlineExceeded, .overloaded, .closed, .connect, .dns, .tls, .authentication, .permission,
            .readOnly, .loading, .masterDown, .clusterDown, .crossSlot, .busy, .outOfMemory, .misconfigured, .noReplicas, .maxClients,
            .script, .wireProtocol, .desynchronised,
        ]
    )
    func unavailable(code: LimiterError.Code) {
        let refusal = ResponseStyle().refusal(for: LimiterError(code, Self.secret, cause: LimiterError(.tls, Self.secret)))
        #expect(refusal.status == .serviceUnavailable)
        #expect(refusal.headerFields[.retryAfter] == "1")
    }

    @Test(
        "No message of the store or the policy reaches a client",
        arguments: [
            LimiterError.Code.unknownTier, .customLimitMissing, .leaseLost, .alreadyRefunded, .noRules, .script, .connect, .misconfigured,
        ]
    )
    func secrets(code: LimiterError.Code) {
        for errorBody in ResponseStyle.ErrorBody.allCases {
            let refusal = ResponseStyle(errorBody: errorBody).refusal(for: LimiterError(code, Self.secret))
            let everything = refusal.text + refusal.headerFields.lines.joined()
            for word in Self.secret.split(separator: " ") where word.count > 3 { #expect(!everything.contains(word)) }
        }
    }

    @Test("A code of several words is spelled with underscores")
    func snakeCase() {
        #expect(ResponseStyle().refusal(for: LimiterError(.outOfMemory, "")).headerFields[.headgateDegraded] == "out_of_memory")
    }
}
