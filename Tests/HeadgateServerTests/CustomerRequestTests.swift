import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateJSON
import HeadgateRedis
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import HeadgateServer

@Suite("What customers ask for", .serialized, .exclusive)
struct CustomerRequestTests {
    private static let boost = #"{"multiplier":2,"duration":"24h","reason":"Data migration"}"#
    private static let increase = #"{"expected_volume":"5000 an hour","use_case":"launch","timeline":"December"}"#

    @Test("A boost multiplies class and endpoint limits at once, ends when it says, and is audited by its key")
    func boost() async throws {
        try await withProvider { page in
            let key = try await page.key(permissions: ["boost"])
            let id = String(key.split(separator: "_")[1])
            try await page.use("POST", "/v2/ai/chat", key)
            for (number, path) in ["/v2/auth/temporary-boost", "/auth/temporary-boost"].enumerated() {
                // No content type, as the page's curl line sends none that fits.
                let body = number == 0 ? Self.boost : #"{"multiplier":1.5,"duration":"1h","reason":"r"}"#
                let response = try await page.client.send(.post, path, key, body)
                expect(.created, response)
                let json = try response.json()
                #expect(json["active"] == .boolean(number == 0) && json["reason"] == (number == 0 ? "Data migration" : "r"))
                let (start, end) = (try #require(json["starts_at"].text), try #require(json["ends_at"].text))
                let length = try #require(StoreTime(rfc3339: end)).microseconds - (try #require(StoreTime(rfc3339: start))).microseconds
                #expect(abs(length / 1_000_000 - (number == 0 ? 86_400 : 3_600)) <= 1)
                #expect(response.headers[.xRateLimitLimit] != nil)
                let limits = try await page.client.send(.get, "/v2/auth/rate-limits?include=endpoints", key).json()
                #expect(limits["limits"]["read_operations"]["limit"] == .integer(2_000))
                #expect(limits["limits"]["ai_services"]["remaining"] == .integer(999))
                #expect(limits["endpoints"]["POST /ai/chat"]["limit"] == .integer(2_000))
            }
            let audit = try await page.accounts.audit(of: "acme").filter { $0.what == "boost" }
            #expect(audit.count == 2 && audit.allSatisfy { $0.who == "key \(id)" })
            #expect(Set(audit.map(\.reason)) == ["Data migration", "r"])
        }
    }

    @Test("A boost needs the permission, and there are so many a month")
    func notAllowed() async throws {
        try await withProvider { page in
            let plain = try await page.key()
            for body in [Self.boost, "{", ""] {
                let refused = try await page.client.send(.post, "/v2/auth/temporary-boost", plain, body)
                expect(.forbidden, refused)
                #expect(try refused.json()["details"]["code"] == "not_allowed")
                #expect(refused.text.contains("boost"))
                // Who was told apart sees the limits of the request's class, as they stand.
                #expect(refused.headers[.xRateLimitLimit] == "200" && refused.headers[.xRateLimitRemaining] == "200")
            }
            let key = try await page.key(permissions: ["boost"])
            for attempt in 0..<4 {
                let response = try await page.client.send(.post, "/v2/auth/temporary-boost", key, Self.boost)
                expect(attempt < 3 ? .created : .forbidden, response)
            }
            #expect(try await page.accounts.account("acme")?.boosts.count == 3)
        }
    }

    @Test(
        "A wrong boost is 400 with the field that is wrong",
        arguments: [
            (#"{"duration":"24h","reason":"r"}"#, "multiplier"), (#"{"multiplier":null,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":"2","duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":0,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":-2,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":1,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":0.5,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":5.01,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":1e3,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":9223372036854775807,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":99999999999999999999999,"duration":"24h","reason":"r"}"#, "multiplier"),
            (#"{"multiplier":[2],"duration":"24h","reason":"r"}"#, "multiplier"), (#"{"multiplier":2,"reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":86400,"reason":"r"}"#, "duration"), (#"{"multiplier":2,"duration":"","reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":"24","reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":"-1h","reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":"0s","reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":"8d","reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":"9223372036854775807d","reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":"9223372036854ms","reason":"r"}"#, "duration"),
            (#"{"multiplier":2,"duration":"24h"}"#, "reason"), (#"{"multiplier":2,"duration":"24h","reason":""}"#, "reason"),
            (#"{"multiplier":2,"duration":"24h","reason":" \n\t "}"#, "reason"),
            (#"{"multiplier":2,"duration":"24h","reason":7}"#, "reason"), (#"{"multiplier":2,"duration":"24h","reason":{}}"#, "reason"),
            (#"{"multiplier":2,"duration":"24h","reason":"\#(String(repeating: "x", count: 1_001))"}"#, "reason"),
            (#"{"multiplier":2,"duration":"24h","reason":"a\u0000b"}"#, "reason"),
            (#"{"multiplier":2,"duration":"24h","reason":"r","reasons":"r"}"#, "reasons"),
            (#"{"multiplier":2,"duration":"24h","reason":"r","account":"other"}"#, "account"),
        ]
    )
    func badBoost(body: String, field: String) async throws {
        try await Self.shared { page, key in
            for path in ["/v2/auth/temporary-boost", "/auth/temporary-boost"] {
                let response = try await page.client.send(.post, path, key, body)
                expect(.badRequest, response)
                #expect(try response.json()["details"]["field"] == .string(field), "\(response.text)")
                #expect(try response.json()["details"]["code"] == "invalid_field")
                #expect(response.headers[.xRateLimitRemaining] == "200" && response.headers[.retryAfter] == nil)
            }
            #expect(try await page.accounts.account("acme")?.revision == 1)
        }
    }

    @Test("A body that is no JSON object is 400, and one that is too large is 413 and not read", arguments: ["boost", "increase"])
    func badBody(kind: String) async throws {
        let path = kind == "boost" ? "/v2/auth/temporary-boost" : "/v2/auth/limit-increase"
        try await Self.shared { page, key in
            for body in ["", "{", "[]", "7", "null", "\u{FEFF}{}", #"{"reason":"r","reason":"s"}"#, "{}x"] {
                expect(.badRequest, try await page.client.send(.post, path, key, body))
            }
            let large = #"{"reason":"\#(String(repeating: "x", count: 70_000))"}"#
            let response = try await page.client.send(.post, path, key, large)
            expect(.contentTooLarge, response)
            #expect(try response.json()["details"]["code"] == "body_too_large")
            #expect(try await page.accounts.account("acme")?.revision == 1)
        }
    }

    @Test("A request for more is taken once at a time, with what support asks for")
    func increase() async throws {
        try await withProvider { page in
            let key = try await page.key()
            let response = try await page.client.send(.post, "/v2/auth/limit-increase", key, Self.increase)
            expect(.accepted, response)
            let json = try response.json()
            #expect(json["status"] == "open" && json["account"] == "acme" && json["tier"] == "pro" && json["use_case"] == "launch")
            let again = try await page.client.send(.post, "/auth/limit-increase", key, Self.increase)
            expect(.conflict, again)
            #expect(try again.json()["details"]["code"] == "conflict")
            #expect(try await page.accounts.increases(.open).map(\.id) == [json["id"].text])
            // Numbers are as good as texts.
            let other = try await page.key("other", tier: "free")
            let numbers = #"{"expected_volume":5000,"use_case":"u","timeline":2026.5}"#
            expect(.accepted, try await page.client.send(.post, "/auth/limit-increase", other, numbers))
        }
    }

    @Test(
        "A wrong request for more is 400 with the field that is wrong",
        arguments: [
            ("{}", "expected_volume"), (#"{"expected_volume":"a","timeline":"c"}"#, "use_case"),
            (#"{"expected_volume":"a","use_case":"b"}"#, "timeline"),
            (#"{"expected_volume":"a","use_case":" ","timeline":"c"}"#, "use_case"),
            (#"{"expected_volume":true,"use_case":"b","timeline":"c"}"#, "expected_volume"),
            (#"{"expected_volume":"a","use_case":["b"],"timeline":"c"}"#, "use_case"),
            (#"{"expected_volume":"a","use_case":"b","timeline":"\#(String(repeating: "x", count: 1_001))"}"#, "timeline"),
            (#"{"expected_volume":"a","use_case":"b","timeline":"c","tier":"enterprise"}"#, "tier"),
        ]
    )
    func badIncrease(body: String, field: String) async throws {
        try await Self.shared { page, key in
            let response = try await page.client.send(.post, "/v2/auth/limit-increase", key, body)
            expect(.badRequest, response)
            #expect(try response.json()["details"]["field"] == .string(field), "\(response.text)")
            #expect(try await page.accounts.increases().isEmpty)
        }
    }

    @Test("Analytics count what was decided, by period or between instants, and name a wrong parameter")
    func analytics() async throws {
        try await withProvider { page in
            let key = try await page.key("small", tier: "free")
            try await page.use("GET", "/v2/clusters", key, times: 3)
            try await page.use("POST", "/v2/training/jobs", key, times: 5)
            let fields: [(HTTPField.Name, String)] = [(.apiKey, key), (.forwardedMethod, "POST"), (.forwardedURI, "/v2/training/jobs")]
            #expect(try await page.client.authorize(fields).status == .tooManyRequests)
            func report(_ query: String = "?period=24h") async throws -> JSONValue {
                let response = try await page.client.send(.get, "/v2/analytics/api-usage\(query)", key)
                expect(.ok, response)
                return try response.json()
            }
            #expect(try await eventually { try await report()["totals"]["allowed"] == .integer(8) })
            let body = try await report("")
            #expect(body["account"] == "small" && body["totals"]["denied"] == .integer(1))
            #expect(body["by_class"]["training_jobs"]["allowed"] == .integer(5))
            #expect(body["by_endpoint"]["POST /training/jobs"]["denied"] == .integer(1))
            #expect(body["denied_by_limit"]["training_jobs"] == .integer(1))
            let now = try await page.accounts.time()
            let span = "?from=\((now + .seconds(-7_200)).rfc3339)&to=\((now + .seconds(60)).rfc3339)"
            #expect(try await report(span)["totals"]["allowed"] == .integer(8))
            for (query, field) in [
                ("?period=1y", "period"), ("?period=", "period"), ("?period=1h&period=24h", "period"), ("?from=yesterday&to=today", "from"),
                ("?from=2026-11-24T00:00:00Z", "to"), ("?to=2026-11-24T00:00:00Z", "from"),
                ("?period=24h&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z", "period"),
                ("?from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z", "from"),
                ("?from=2026-01-01T00:00:00Z&to=2026-11-24T00:00:00Z", "from"),
            ] {
                let response = try await page.client.send(.get, "/v2/analytics/api-usage\(query)", key)
                expect(.badRequest, response)
                #expect(try response.json()["details"]["field"] == .string(field), "\(query)")
            }
        }
    }

    /// Runs a test of requests that change nothing, with a key that may boost.
    private static func shared(_ test: @escaping @Sendable (Page, String) async throws -> Void) async throws {
        try await withProvider { page in try await test(page, try await page.key(permissions: ["boost"])) }
    }
}
