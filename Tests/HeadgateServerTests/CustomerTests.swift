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

@Suite("What customers ask of their own limits", .serialized, .exclusive)
struct CustomerTests {
    /// An endpoint at the root and under the policy's base path.
    private static func both(_ path: String) -> [String] { [path, "/v2\(path)"] }

    private static let boost = #"{"multiplier":2,"duration":"24h","reason":"Data migration"}"#
    private static let increase = #"{"expected_volume":"5000 an hour","use_case":"launch","timeline":"December"}"#

    /// The names of the keys that hold the account's counts.
    private func counts(_ page: Page) async throws -> [String] {
        (try await page.redis.command(["KEYS", "hg:{a:*}:*:log1"]).elements ?? []).compactMap(\.text).sorted()
    }

    @Test("Current usage is the page's JSON, in its order, at the root and under the base path, and asking costs nothing")
    func usage() async throws {
        try await withProvider { page in
            let key = try await page.key()
            try await page.use("GET", "/v2/clusters", key, times: 3)
            try await page.use("POST", "/v2/ai/chat", key)
            let used = try await counts(page)
            for uri in Self.both("/auth/rate-limits") {
                for _ in 0..<5 {
                    let response = try await page.client.send(.get, uri, key)
                    expect(.ok, response)
                    #expect(response.headers[.contentType] == "application/json")
                    let limits = try response.json()["limits"]
                    #expect(try response.json().names == ["limits"])
                    #expect(limits.names == ["read_operations", "write_operations", "ai_services", "training_jobs"])
                    #expect(limits["read_operations"].names == ["limit", "remaining", "reset_at"])
                    #expect(limits["read_operations"]["limit"] == .integer(1_000))
                    #expect(limits["read_operations"]["remaining"] == .integer(997))
                    #expect(limits["ai_services"]["remaining"] == .integer(499))
                    #expect(limits["training_jobs"]["limit"] == .integer(20))
                    let reset = try #require(limits["read_operations"]["reset_at"].text.flatMap { StoreTime(rfc3339: $0) })
                    let now = try await page.accounts.time()
                    #expect(reset > now && reset <= now + .seconds(3_601))
                    // The class's limit, as it stands.
                    #expect(response.headers[.xRateLimitLimit] == "1000")
                    #expect(response.headers[.xRateLimitRemaining] == "997")
                    #expect(response.headers[.xRateLimitReset].flatMap { Int64($0) } ?? 0 > 0)
                    #expect(response.headers[.retryAfter] == nil)
                }
            }
            #expect(try await counts(page) == used)
        }
    }

    @Test("A limit that is none is said plainly, and one without room does not refuse the question")
    func unlimited() async throws {
        try await withProvider { page in
            let big = try await page.key("big", tier: "enterprise")
            let limits = try await page.client.send(.get, "/v2/auth/rate-limits", big).json()["limits"]
            #expect(limits["training_jobs"] == ["unlimited": .boolean(true)])
            let free = try await page.key("small", tier: "free")
            try await page.use("PATCH", "/v2/x", free, times: 20)
            let response = try await page.client.send(.get, "/auth/rate-limits", free)
            expect(.ok, response)
            #expect(try response.json()["limits"]["write_operations"]["remaining"] == .integer(0))
            let asked = try await page.client.send(.post, "/auth/limit-increase", free, Self.increase)
            expect(.accepted, asked)
            #expect(asked.headers[.xRateLimitRemaining] == "0" && asked.headers[.retryAfter] == nil)
        }
    }

    @Test("With include=endpoints the endpoint limits in use are shown, too")
    func endpoints() async throws {
        try await withProvider { page in
            let key = try await page.key()
            try await page.use("POST", "/v2/ai/chat", key)
            let body = try await page.client.send(.get, "/v2/auth/rate-limits?include=endpoints", key).json()
            #expect(body.names == ["limits", "endpoints"])
            #expect(body["endpoints"].names == ["POST /ai/chat"])
            #expect(body["endpoints"]["POST /ai/chat"]["limit"] == .integer(1_000))
            #expect(body["endpoints"]["POST /ai/chat"]["remaining"] == .integer(999))
            let wrong = try await page.client.send(.get, "/v2/auth/rate-limits?include=everything", key)
            expect(.badRequest, wrong)
            #expect(try wrong.json()["details"]["field"] == "include")
        }
    }

    @Test("HEAD is answered as GET without the body, and other methods 405 with those that there are")
    func methods() async throws {
        try await withProvider { page in
            let key = try await page.key(permissions: ["boost"])
            for path in ["/auth/rate-limits", "/analytics/api-usage"].flatMap(Self.both) {
                let head = try await page.client.send(.head, path, key)
                expect(.ok, head)
                #expect(head.body.readableBytes == 0 && head.headers[.xRateLimitLimit] == "1000")
                for method in [HTTPRequest.Method.post, .put, .delete, .options] {
                    let response = try await page.client.send(method, path, key)
                    expect(.methodNotAllowed, response)
                    #expect(response.headers[.allow] == "GET, HEAD")
                }
                let refused = try await page.client.send(.head, path)
                #expect(refused.status == .unauthorized && refused.body.readableBytes == 0)
            }
            for path in ["/auth/temporary-boost", "/auth/limit-increase"].flatMap(Self.both) {
                for method in [HTTPRequest.Method.get, .head, .put, .delete] {
                    let response = try await page.client.send(method, path, key)
                    #expect(response.status == .methodNotAllowed && response.headers[.allow] == "POST")
                }
            }
            #expect(try await page.accounts.account("acme")?.boosts.isEmpty == true)
        }
    }

    @Test("Both header fields bring a key; none, an unknown one and a revoked one are 401, two different ones 400")
    func keys() async throws {
        try await withProvider { page in
            let key = try await page.key()
            let path = "/v2/auth/rate-limits"
            expect(.ok, try await page.client.send(.get, path, nil, nil, [(.apiKey, key)]))
            expect(.ok, try await page.client.send(.get, path, nil, nil, [(.authorization, "bearer \(key)")]))
            expect(.ok, try await page.client.send(.get, path, key, nil, [(.apiKey, key)]))
            expect(.ok, try await page.client.send(.get, path, nil, nil, [(.authorization, "Basic x"), (.apiKey, key)]))
            expect(.badRequest, try await page.client.send(.get, path, key, nil, [(.apiKey, "other")]))
            expect(.badRequest, try await page.client.send(.get, path, key, nil, [(.authorization, "Bearer other")]))
            expect(.badRequest, try await page.client.send(.get, path, nil, nil, [(.apiKey, key), (.apiKey, "other")]))
            for fields in [[], [(.authorization, "Basic x")], [(.authorization, key)], [(.authorization, "Bearer")]]
                as [[(HTTPField.Name, String)]]
            {
                let none = try await page.client.send(.get, path, nil, nil, fields)
                expect(.unauthorized, none)
                #expect(try none.json()["details"]["code"] == "missing_key")
                #expect(none.headers[.wwwAuthenticate] == #"Bearer realm="api""#)
            }
            let unknown = try await page.client.send(.get, path, String(key.dropLast()))
            expect(.unauthorized, unknown)
            #expect(try unknown.json()["details"]["code"] == "unknown_key")
            let id = String(key.split(separator: "_")[1])
            _ = try await page.accounts.revokeKey(id, by: Actor("test"))
            #expect(try await eventually { try await page.client.send(.get, path, key).status == .unauthorized })
        }
    }

    @Test("Who tries keys is locked out after ten from an address, with the time to wait, and nobody else is")
    func lockOut() async throws {
        try await withProvider(policy: nil, { $0.clients = .init(trust: .hops(1)) }) { page in
            let key = try await page.key()
            func ask(_ key: String, from address: String) async throws -> TestResponse {
                try await page.client.send(.get, "/v2/auth/rate-limits", key, nil, [(.xForwardedFor, address)])
            }
            expect(.ok, try await ask(key, from: "192.0.2.1"))
            for _ in 0..<10 { expect(.unauthorized, try await ask("guess", from: "192.0.2.1")) }
            let locked = try await ask("guess", from: "192.0.2.1")
            expect(.tooManyRequests, locked)
            #expect(try locked.json()["details"]["code"] == "too_many_unknown_keys")
            #expect((1...60).contains(locked.headers[.retryAfter].flatMap { Int($0) } ?? 0))
            // Who was let in before still is, and a right key that was not is refused as any.
            expect(.ok, try await ask(key, from: "192.0.2.1"))
            expect(.tooManyRequests, try await ask(try await page.key("other"), from: "192.0.2.1"))
            expect(.ok, try await ask(try await page.key("other"), from: "192.0.2.2"))
            // The same on the other routes that take keys.
            let fields: [(HTTPField.Name, String)] = [(.xForwardedFor, "192.0.2.1"), (.forwardedMethod, "GET"), (.forwardedURI, "/v2/x")]
            expect(.tooManyRequests, try await page.client.authorize(fields + [(.apiKey, "guess")]))
            expect(.ok, try await page.client.authorize(fields + [(.apiKey, key)]))
        }
    }

    @Test("A key is as good as a service's word on a listener that others reach, and a word without proof is worth nothing there")
    func openListener() async throws {
        try await withProvider(policy: nil, { $0.listen = ListenAddress(host: "0.0.0.0", port: 0) }) { page in
            let key = try await page.key()
            let asked: [(HTTPField.Name, String)] = [(.forwardedMethod, "GET"), (.forwardedURI, "/v2/x")]
            let opened = try await page.client.authorize(asked + [(.apiKey, key)])
            #expect(opened.status == .ok && opened.headers[.xRateLimitLimit] == "1000")
            for claim in [(HTTPField.Name.headgateAccount, "acme"), (.headgateAccount, "other")] {
                expect(.forbidden, try await page.client.authorize(asked + [claim]))
                expect(.forbidden, try await page.client.authorize(asked + [claim, (.apiKey, key)]))
            }
            expect(.unauthorized, try await page.client.authorize(asked))
            expect(.forbidden, try await page.client.decide(#"{"subject":{"account":"acme"},"method":"GET","path":"/v2/x"}"#))
        }
    }

    @Test("A service that names an account alone gets its plan, its own limits and its boost; what it says itself counts before")
    func records() async throws {
        try await withProvider { page in
            let actor = Actor("test")
            _ = try await page.key()
            _ = try await page.accounts.setOverride(
                of: "acme",
                limit: "read",
                to: AccountOverride(.units(500, per: .seconds(3_600))),
                by: actor
            )
            let boost = BoostRequest(multiplier: 2, duration: .seconds(3_600), reason: "r")
            _ = try await page.accounts.grantBoost(boost, for: "acme", by: actor)
            func limit(_ subject: String) async throws -> JSONValue {
                let body = #"{"subject":\#(subject),"method":"GET","path":"/v2/x","peek":true}"#
                return try await page.client.decide(body).json()["limits"][0]["limit"]
            }
            #expect(try await eventually { try await limit(#"{"account":"acme"}"#) == .integer(1_000) })
            #expect(try await limit(#"{"account":"acme","tier":"free"}"#) == .integer(100))
            #expect(try await limit(#"{"account":"acme","overrides":{"read":"7/hour"}}"#) == .integer(7))
            #expect(try await limit(#"{"account":"nobody"}"#) == .integer(100))
            let fields: [(HTTPField.Name, String)] = [(.headgateAccount, "acme"), (.forwardedMethod, "GET"), (.forwardedURI, "/v2/x")]
            #expect(try await page.client.authorize(fields).headers[.xRateLimitLimit] == "1000")
        }
    }

    @Test("A priority keeps room for others, and one that needs a permission is normal without it")
    func priorities() async throws {
        let policy = """
            name: priorities
            responses: { headers: [x-ratelimit], error_body: nested }
            classes:
              all: ["* /**"]
            tiers:
              free: { limits: { all: 10/hour } }
            default_tier: free
            priorities:
              high: { reserve: 0%, requires: priority }
              normal: { reserve: 30% }
              low: { reserve: 50% }
            """
        try await withProvider(policy: policy) { page in
            let (plain, urgent) = (try await page.key(tier: "free"), try await page.key(tier: "free", permissions: ["priority"]))
            func ask(_ key: String, _ priority: String) async throws -> Int {
                let fields: [(HTTPField.Name, String)] = [(.forwardedMethod, "GET"), (.forwardedURI, "/x"), (.xPriority, priority)]
                return try await page.client.authorize(fields + [(.apiKey, key)]).status.code
            }
            for used in 0..<10 {
                #expect(try await ask(plain, "low") == (used < 5 ? 200 : 429), "\(used)")
                if used >= 5, used < 7 { #expect(try await ask(plain, used == 5 ? "normal" : "high") == 200) }
                if used >= 7 {
                    #expect(try await ask(plain, "high") == 429)
                    #expect(try await ask(urgent, "high") == 200)
                }
            }
            #expect(try await ask(urgent, "high") == 429)
        }
    }

    @Test("Two keys of an account share its counts, and what a key's permission changes is its own")
    func sharedCounts() async throws {
        try await withProvider { page in
            let (first, second) = (try await page.key(), try await page.key(permissions: ["read-only"]))
            try await page.use("GET", "/v2/x", first, times: 4)
            try await page.use("GET", "/v2/x", second, times: 3)
            for key in [first, second] {
                let limits = try await page.client.send(.get, "/v2/auth/rate-limits", key).json()["limits"]
                #expect(limits["read_operations"]["remaining"] == .integer(993))
                #expect(limits["write_operations"]["limit"] == .integer(key == first ? 200 : 0))
            }
            let fields: [(HTTPField.Name, String)] = [(.apiKey, second), (.forwardedMethod, "POST"), (.forwardedURI, "/v2/x")]
            let denied = try await page.client.authorize(fields)
            #expect(denied.status == .tooManyRequests && denied.headers[.retryAfter] == nil)
        }
    }
}
