import EmbeddedRedis
import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateJSON
import HeadgateProvider
import HeadgateRedis
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import HeadgateServer

@Suite("What refusals say", .serialized, .exclusive)
struct ErrorBodyTests {
    /// Where a style has an error's code and the field at fault.
    private func said(_ style: String, _ body: JSONValue) -> (code: JSONValue, field: JSONValue, status: JSONValue) {
        switch style {
        case "nested": (body["details"]["code"], body["details"]["field"], body["code"])
        default: (body["code"], body["field"], body["status"])
        }
    }

    private func policy(_ style: String) throws -> String {
        try shippedPolicy("tensorone").replacingOccurrences("error_body: nested", by: "error_body: \(style)")
    }

    @Test("They are in the policy's style, and hold no key, no address and no word of Redis", arguments: ["nested", "flat", "problem"])
    func refusals(style: String) async throws {
        try await withProvider(policy: try policy(style), { $0.clients = .init(trust: .hops(1)) }) { page in
            let address = "203.0.113.77"
            let (key, plain) = (try await page.key(permissions: ["boost"]), try await page.key())
            let secrets = [key, plain, "hgk_abcdefgh_\(String(repeating: "q", count: 43))"]
            let boost = "/v2/auth/temporary-boost"
            let asks: [(HTTPRequest.Method, String, String?, String?, Int, String, String?)] = [
                (.get, "/v2/auth/rate-limits", nil, nil, 401, "missing_key", nil),
                (.get, "/v2/auth/rate-limits", secrets[2], nil, 401, "unknown_key", nil),
                (.get, "/v2/auth/rate-limits?include=x", key, nil, 400, "invalid_field", "include"),
                (.put, "/v2/auth/rate-limits", key, nil, 405, "method_not_allowed", nil),
                (.post, boost, plain, "{}", 403, "not_allowed", nil), (.post, boost, key, "{}", 400, "invalid_field", "multiplier"),
                (.post, boost, key, "{", 400, "invalid_field", nil),
                (.post, boost, key, #"{"\#(key)":1}"#, 400, "invalid_field", "multiplier"),
                (.post, boost, key, String(repeating: "x", count: 70_000), 413, "body_too_large", nil),
                (.get, "/v2/analytics/api-usage?period=\(key)", key, nil, 400, "invalid_field", "period"),
                (.post, "/v2/auth/limit-increase", key, "{}", 400, "invalid_field", "expected_volume"),
            ]
            for (method, path, token, body, status, code, field) in asks {
                let response = try await page.client.send(method, path, token, body, [(.xForwardedFor, address)])
                #expect(response.status.code == status, "\(path): \(response.text)")
                let answer = said(style, try response.json())
                #expect(answer.code == .string(code) && answer.field == JSONValue(field), "\(path): \(response.text)")
                #expect(answer.status == .integer(Int64(status)))
                #expect(response.headers[.contentType] == (style == "problem" ? "application/problem+json" : "application/json"))
                expectDiscreet(response, page, secrets, address)
            }
            for _ in 0..<10 { _ = try await page.client.send(.get, "/v2/auth/rate-limits", secrets[2], nil, [(.xForwardedFor, address)]) }
            let locked = try await page.client.send(.get, "/v2/auth/rate-limits", secrets[2], nil, [(.xForwardedFor, address)])
            expect(.tooManyRequests, locked)
            #expect(said(style, try locked.json()).code == "too_many_unknown_keys")
            expectDiscreet(locked, page, secrets, address)
        }
    }

    @Test(
        "Of our own trouble they say that there is some: a record that is none, a Redis that is full, one that is away",
        arguments: ["nested", "flat", "problem"]
    )
    func trouble(style: String) async throws {
        try await withProvider(policy: try policy(style), deadline: .milliseconds(500)) { page in
            let key = try await page.key(permissions: ["boost"])
            let boost = #"{"multiplier":2,"duration":"1h","reason":"r"}"#
            let increase = #"{"expected_volume":"a","use_case":"b","timeline":"c"}"#
            expect(.ok, try await page.client.send(.get, "/v2/auth/rate-limits", key))
            func expectTrouble(_ method: HTTPRequest.Method, _ path: String, _ key: String, _ body: String? = nil) async throws {
                let response = try await page.client.send(method, path, key, body)
                #expect(response.status == .serviceUnavailable, "\(path): \(response.text)")
                #expect(response.headers[.retryAfter] == "1" && response.headers[.headgateDegraded] != nil)
                expectDiscreet(response, page, [key], "192.0.2.1")
            }
            _ = try await page.redis.command(["CONFIG", "SET", "maxmemory", "1"])
            try await expectTrouble(.post, "/v2/auth/temporary-boost", key, boost)
            try await expectTrouble(.post, "/v2/auth/limit-increase", key, increase)
            _ = try await page.redis.command(["CONFIG", "SET", "maxmemory", "0"])
            // Somebody else's values in the place of ours.
            _ = try await page.redis.command(["SET", "hg:{g:headgate}:limit-increases", "x"])
            try await expectTrouble(.post, "/v2/auth/limit-increase", key, increase)
            _ = try await page.redis.command(["SET", "hg:{k:oddoddodd}:key", "x"])
            try await expectTrouble(.get, "/v2/auth/rate-limits", "hgk_oddoddodd_\(String(repeating: "q", count: 43))")
            let admin = try await page.admin.send(.get, "/v1/limit-increases")
            expect(.serviceUnavailable, admin)
            expectDiscreet(admin, page, [key], "192.0.2.1")
            page.server.kill()
            for path in ["/v2/auth/rate-limits", "/v2/analytics/api-usage"] { try await expectTrouble(.get, path, key) }
            try await expectTrouble(.post, "/v2/auth/temporary-boost", key, boost)
            try await expectTrouble(.get, "/v2/auth/rate-limits", "hgk_abcdefgh_\(String(repeating: "q", count: 43))")
            expectDiscreet(try await page.admin.send(.get, "/v1/accounts"), page, [key], "192.0.2.1")
        }
    }

    private func expectDiscreet(
        _ response: TestResponse,
        _ page: Page,
        _ keys: [String],
        _ address: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let text = response.text + response.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        let socket = String(page.server.url.dropFirst("unix://".count))
        for word in keys.flatMap({ [$0, String($0.suffix(43))] }) + [
            address, socket, "edis", "WRONGTYPE", "OOM", "maxmemory", "unix:", "hg:",
        ] {
            #expect(!text.contains(word), "\(word) in \(text)", sourceLocation: sourceLocation)
        }
    }
}

extension String {
    fileprivate func replacingOccurrences(_ part: String, by other: String) -> String { split(separator: part).joined(separator: other) }
}
