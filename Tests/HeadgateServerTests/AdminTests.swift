import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateJSON
import HeadgatePolicy
import HeadgateRedis
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import HeadgateServer

@Suite("What operators do", .serialized, .exclusive)
struct AdminTests {
    @Test("Accounts are made, listed, shown, put into plans, and their names may be any text")
    func accounts() async throws {
        try await withProvider { page in
            let made = try await page.admin.send(.post, "/v1/accounts", nil, #"{"account":"acme","tier":"pro"}"#)
            expect(.created, made)
            #expect(try made.json()["account"] == "acme" && made.json()["tier"] == "pro" && made.json()["created_at"].text != nil)
            expect(.conflict, try await page.admin.send(.post, "/v1/accounts", nil, #"{"account":"acme"}"#))
            let odd = #"{"account":"Größe /{漢}?","overrides":{"read":"5000/hour","write":{"limit":"x2","reason":"r"}}}"#
            let overrides = try await page.admin.send(.post, "/v1/accounts", nil, odd).json()["overrides"]
            #expect(overrides["read"]["limit"] == "5000/hour" && overrides["read"]["granted_by"] == "admin API")
            #expect(overrides["write"]["limit"] == "x2" && overrides["write"]["reason"] == "r")
            let path = "/v1/accounts/Gr%C3%B6%C3%9Fe%20%2F%7B%E6%BC%A2%7D%3F"
            #expect(try await page.admin.send(.get, path).json()["account"] == "Größe /{漢}?")
            let list = try await page.admin.send(.get, "/v1/accounts").json()
            #expect(list["accounts"][0]["account"] == "Größe /{漢}?" && list["accounts"][1]["account"] == "acme")
            #expect(list["next_cursor"] == .null)
            let changed = try await page.admin.send(.put, "/v1/accounts/acme/tier", nil, #"{"tier":"enterprise"}"#)
            #expect(try changed.json()["tier"] == "enterprise")
            #expect(try await page.accounts.account("acme")?.tier == "enterprise")
            expect(.notFound, try await page.admin.send(.get, "/v1/accounts/nobody"))
            expect(.badRequest, try await page.admin.send(.get, "/v1/accounts?cursor=x"))
        }
    }

    @Test("Keys are made and shown once, listed without their secrets, and revoked")
    func keys() async throws {
        try await withProvider { page in
            _ = try await page.admin.send(.post, "/v1/accounts", nil, #"{"account":"acme","tier":"pro"}"#)
            let made = try await page.admin.send(.post, "/v1/accounts/acme/keys", nil, #"{"name":"job","permissions":["boost"]}"#)
            expect(.created, made)
            let secret = try #require(try made.json()["secret"].text)
            let id = try #require(try made.json()["key"].text)
            #expect(try made.json()["permissions"] == ["boost"])
            expect(.ok, try await page.client.send(.get, "/v2/auth/rate-limits", secret))
            let list = try await page.admin.send(.get, "/v1/accounts/acme/keys")
            #expect(try list.json()["keys"][0]["key"] == .string(id) && list.json()["keys"][0]["name"] == "job")
            #expect(!list.text.contains(secret.suffix(43)) && !list.text.contains("sha256"))
            let revoked = try await page.admin.send(.delete, "/v1/keys/\(id)")
            #expect(try revoked.json()["revoked_at"].text != nil && !revoked.text.contains(secret.suffix(43)))
            #expect(try await eventually { try await page.client.send(.get, "/v2/auth/rate-limits", secret).status == .unauthorized })
            expect(.notFound, try await page.admin.send(.delete, "/v1/keys/nokey"))
            expect(.notFound, try await page.admin.send(.get, "/v1/accounts/nobody/keys"))
        }
    }

    @Test("Overrides, boosts and resets change what customers may do, and are audited")
    func changes() async throws {
        try await withProvider { page in
            let key = try await page.key()
            try await page.use("GET", "/v2/x", key, times: 3)
            func read() async throws -> JSONValue {
                try await page.admin.send(.get, "/v1/accounts/acme/limits").json()["limits"]["read_operations"]
            }
            #expect(try await read()["remaining"] == .integer(997))
            let override = #"{"limit":"read","value":{"limit":"5000/hour","until":"2100-01-01T00:00:00Z","reason":"launch"}}"#
            let set = try await page.admin.send(.put, "/v1/accounts/acme/overrides", nil, override)
            #expect(try set.json()["overrides"]["read"]["until"] == "2100-01-01T00:00:00Z")
            #expect(try await read()["remaining"] == .integer(4_997))
            let boost = #"{"multiplier":10,"duration":"30d","reason":"event"}"#
            let boosted = try await page.admin.send(.post, "/v1/accounts/acme/boosts", nil, boost)
            expect(.created, boosted)
            #expect(try boosted.json()["active"] == .boolean(true))
            #expect(try await read()["limit"] == .integer(50_000))
            #expect(
                try await eventually {
                    try await page.client.send(.get, "/v2/auth/rate-limits", key).headers[.xRateLimitLimit] == "50000"
                }
            )
            let id = try #require(try boosted.json()["id"].text)
            #expect(try await page.admin.send(.delete, "/v1/accounts/acme/boosts/\(id)").json()["boosts"] == [])
            expect(.notFound, try await page.admin.send(.delete, "/v1/accounts/acme/boosts/\(id)"))
            let cleared = try await page.admin.send(.delete, "/v1/accounts/acme/overrides?limit=read")
            #expect(try cleared.json()["overrides"].names.isEmpty)
            #expect(try await read()["remaining"] == .integer(997))
            let reset = try await page.admin.send(.post, "/v1/accounts/acme/reset", nil, #"{"limit":"read"}"#)
            #expect(try reset.json()["reset"] == ["read"])
            #expect(try await read()["remaining"] == .integer(1_000))
            expect(.ok, try await page.admin.send(.post, "/v1/accounts/acme/reset", nil, "{}"))
            let audit = try await page.admin.send(.get, "/v1/accounts/acme/audit").json()["audit"]
            #expect(audit[0]["what"] == "counts reset" && audit[0]["who"] == "admin API" && audit[0]["old"] == "all")
            #expect(audit[2]["what"] == "override read" && audit[2]["old"] == "5000/hour")
        }
    }

    @Test("Requests for more are listed, granted and refused")
    func increases() async throws {
        try await withProvider { page in
            let (first, second) = (try await page.key("one"), try await page.key("two"))
            let body = #"{"expected_volume":"5000","use_case":"launch","timeline":"December"}"#
            for key in [first, second] { expect(.accepted, try await page.client.send(.post, "/auth/limit-increase", key, body)) }
            let open = try await page.admin.send(.get, "/v1/limit-increases?status=open").json()["limit_increases"]
            let ids = try [open[0], open[1]].map { try #require($0["id"].text) }
            let grant = #"{"overrides":{"read":"5000/hour"},"answer":"good luck"}"#
            let granted = try await page.admin.send(.post, "/v1/limit-increases/\(ids[0])/grant", nil, grant)
            #expect(try granted.json()["status"] == "granted" && granted.json()["answer"] == "good luck")
            let account = try #require(open[0]["account"].text)
            #expect(try await page.accounts.account(account)?.overrides["read"] != nil)
            expect(.conflict, try await page.admin.send(.post, "/v1/limit-increases/\(ids[0])/refuse", nil, "{}"))
            #expect(try await page.admin.send(.post, "/v1/limit-increases/\(ids[1])/refuse", nil, "{}").json()["status"] == "refused")
            #expect(try await page.admin.send(.get, "/v1/limit-increases?status=open").json()["limit_increases"] == [])
            expect(.badRequest, try await page.admin.send(.get, "/v1/limit-increases?status=lost"))
            expect(.notFound, try await page.admin.send(.post, "/v1/limit-increases/inone/refuse", nil, "{}"))
        }
    }

    @Test("Operators see an account's usage, and the policy as it was written")
    func looks() async throws {
        try await withProvider { page in
            let key = try await page.key()
            try await page.use("GET", "/v2/x", key, times: 3)
            func usage() async throws -> JSONValue { try await page.admin.send(.get, "/v1/accounts/acme/usage?period=1h").json()["totals"] }
            #expect(try await eventually { try await usage()["allowed"] == .integer(3) })
            expect(.badRequest, try await page.admin.send(.get, "/v1/accounts/acme/usage?period=1y"))
            expect(.notFound, try await page.admin.send(.get, "/v1/accounts/nobody/usage"))
            expect(.notFound, try await page.admin.send(.get, "/v1/accounts/nobody/limits"))
            expect(.notFound, try await page.admin.send(.get, "/v1/accounts/nobody/audit"))
            let policy = try await page.admin.send(.get, "/v1/policy").json()
            let source = try shippedPolicy("tensorone")
            #expect(policy["name"] == "tensorone" && policy["source"] == .string(source))
            // The policy is also where commands find it.
            #expect(try await eventually { try await page.accounts.publishedPolicy() == source })
        }
    }

    @Test("A change that is wrong is 400 with its field as a problem, and changes nothing")
    func badChanges() async throws {
        try await withProvider { page in
            _ = try await page.key()
            let before = try await page.accounts.account("acme")
            let cases: [(HTTPRequest.Method, String, String, String?)] = [
                (.post, "/v1/accounts", "", nil), (.post, "/v1/accounts", "{}", "account"),
                (.post, "/v1/accounts", #"{"account":"b","tier":"por"}"#, "tier"),
                (.post, "/v1/accounts", #"{"account":"b","tier":5}"#, "tier"),
                (.post, "/v1/accounts", #"{"account":"a\u0000"}"#, "account"),
                (.post, "/v1/accounts", #"{"account":"b","overrides":[]}"#, "overrides"),
                (.post, "/v1/accounts", #"{"account":"b","overrides":{"read":"often"}}"#, "overrides.read"),
                (.post, "/v1/accounts", #"{"account":"b","overrides":{"raed":"5/hour"}}"#, "overrides"),
                (.post, "/v1/accounts", #"{"account":"b","plan":"pro"}"#, "plan"),
                (.put, "/v1/accounts/acme/tier", "{}", "tier"), (.put, "/v1/accounts/acme/tier", #"{"tier":"gold"}"#, "tier"),
                (.put, "/v1/accounts/acme/overrides", #"{"limit":"read"}"#, "value"),
                (.put, "/v1/accounts/acme/overrides", #"{"value":"5/hour"}"#, "limit"),
                (.put, "/v1/accounts/acme/overrides", #"{"limit":"raed","value":"5/hour"}"#, "limit"),
                (.put, "/v1/accounts/acme/overrides", #"{"limit":"read","value":"often"}"#, "value"),
                (.put, "/v1/accounts/acme/overrides", #"{"limit":"read","value":{"limit":"5/hour","until":"soon"}}"#, "value"),
                (
                    .put, "/v1/accounts/acme/overrides", #"{"limit":"read","value":{"limit":"5/hour","until":"2020-01-01T00:00:00Z"}}"#,
                    "until"
                ),
                (.put, "/v1/accounts/acme/overrides", #"{"limit":"read","value":{"limit":"5/hour","untill":""}}"#, "value"),
                (.delete, "/v1/accounts/acme/overrides", "", "limit"),
                (.post, "/v1/accounts/acme/boosts", #"{"multiplier":1,"duration":"1h","reason":"r"}"#, "multiplier"),
                (.post, "/v1/accounts/acme/boosts", #"{"multiplier":2,"duration":"367d","reason":"r"}"#, "duration"),
                (.post, "/v1/accounts/acme/boosts", #"{"multiplier":2,"duration":"1h"}"#, "reason"),
                (.post, "/v1/accounts/acme/reset", #"{"limit":5}"#, "limit"),
                (.post, "/v1/accounts/acme/keys", #"{"permissions":"boost"}"#, "permissions"),
                (.post, "/v1/accounts/acme/keys", #"{"permissions":["a b"]}"#, "permissions"),
                (.post, "/v1/accounts/acme/keys", #"{"permission":["boost"]}"#, "permission"),
                (.post, "/v1/limit-increases/i1/grant", "{}", "overrides"),
            ]
            for (method, path, body, field) in cases {
                let response = try await page.admin.send(method, path, nil, body)
                #expect(response.status == .badRequest, "\(method) \(path) \(body): \(response.text)")
                #expect(response.headers[.contentType] == "application/problem+json")
                #expect(try response.json()["field"] == JSONValue(field), "\(method) \(path) \(body): \(response.text)")
            }
            let large = #"{"account":"\#(String(repeating: "x", count: 70_000))"}"#
            expect(.contentTooLarge, try await page.admin.send(.post, "/v1/accounts", nil, large))
            expect(.notFound, try await page.admin.send(.post, "/v1/accounts/acme/reset", nil, #"{"limit":"raed"}"#))
            #expect(try await page.accounts.account("acme") == before)
            #expect(try await page.accounts.account("b") == nil)
        }
    }

    @Test("A tier that says custom needs the account's own limits when the account is made")
    func custom() async throws {
        let policy = """
            name: custom
            classes:
              all: ["* /**"]
            tiers:
              free: { limits: { all: 5/hour } }
              enterprise: { limits: { all: custom }, concurrency: custom }
            """
        try await withProvider(policy: policy) { page in
            let bare = try await page.admin.send(.post, "/v1/accounts", nil, #"{"account":"big","tier":"enterprise"}"#)
            expect(.badRequest, bare)
            #expect(try bare.json()["field"] == "overrides")
            let half = #"{"account":"big","tier":"enterprise","overrides":{"all":"5000/hour"}}"#
            expect(.badRequest, try await page.admin.send(.post, "/v1/accounts", nil, half))
            let whole = #"{"account":"big","tier":"enterprise","overrides":{"all":"5000/hour","concurrency":"50 slots"}}"#
            expect(.created, try await page.admin.send(.post, "/v1/accounts", nil, whole))
        }
    }
}
