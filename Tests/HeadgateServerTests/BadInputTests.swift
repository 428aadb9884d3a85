import HTTPTypes
import Headgate
import HeadgateJSON
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import HeadgateServer

private let request = #"{"subject":{"account":"a1","tier":"pro"},"method":"GET","path":"/v2/x"}"#

@Suite("Bad input to POST /v1/decisions")
struct BadInputTests {
    @Test(
        "is 400 and named by its field",
        arguments: [
            ("", "the body is empty"),
            ("[]", "the body is an array; expected an object"),
            ("{", "not valid JSON at byte 1"),
            ("{}", "subject is missing"),
            (#"{"subject":7}"#, "subject is a number; expected an object"),
            (#"{"subject":{}}"#, "subject.account is missing"),
            (#"{"subject":{"account":7},"method":"GET","path":"/"}"#, "subject.account is a number; expected a string"),
            (#"{"subject":{"account":""},"method":"GET","path":"/"}"#, "subject.account: an identity is empty"),
            (#"{"subject":{"account":"a\u0000b"},"method":"GET","path":"/"}"#, "subject.account: an identity holds a NUL"),
            (#"{"subject":{"account":"a"},"path":"/"}"#, "method is missing"),
            (#"{"subject":{"account":"a"},"method":"GET"}"#, "path is missing"),
            (
                #"{"subject":{"account":"a"},"method":"GET","path":"/","cost":0}"#,
                "cost is 0; expected 1 or more; to look without taking, set peek"
            ),
            (#"{"subject":{"account":"a"},"method":"GET","path":"/","cost":-1}"#, "cost is -1; expected 1 or more"),
            (#"{"subject":{"account":"a"},"method":"GET","path":"/","cost":1.5}"#, "cost is a number; expected a whole number"),
            (#"{"subject":{"account":"a"},"method":"GET","path":"/","cost":"1"}"#, "cost is a string; expected a whole number"),
            (#"{"subject":{"account":"a"},"method":"GET","path":"/","peek":"yes"}"#, "peek is a string; expected true or false"),
            (#"{"subject":{"account":"a"},"method":"GET","path":"/","coast":1}"#, "coast is not a known field"),
            (#"{"subject":{"account":"a","teir":"pro"},"method":"GET","path":"/"}"#, "subject.teir is not a known field"),
            (
                #"{"subject":{"account":"a","permissions":"x"},"method":"GET","path":"/"}"#,
                "subject.permissions is a string; expected an array"
            ),
            (#"{"subject":{"account":"a","permissions":["x",1]},"method":"GET","path":"/"}"#, "subject.permissions[1] is a number"),
            (#"{"subject":{"account":"a","key":""},"method":"GET","path":"/"}"#, "subject.key: an identity is empty"),
            (
                #"{"subject":{"account":"a","overrides":{"read":"often"}},"method":"GET","path":"/"}"#,
                "subject.overrides.read: expected a rate"
            ),
            (
                #"{"subject":{"account":"a","overrides":{"read":{"x":1}}},"method":"GET","path":"/"}"#,
                "subject.overrides.read.slots is missing"
            ),
            (#"{"requests":[]}"#, "requests holds 0 requests; expected 1 to 64"),
            (#"{"requests":[1]}"#, "requests[0] is a number; expected an object"),
            (#"{"requests":[{"subject":{"account":""}}]}"#, "requests[0].subject.account: an identity is empty"),
            (#"{"requests":[\#(request)],"peek":true}"#, "peek is not a known field"),
            (#"{"requests":[{"requests":[\#(request),{}]}]}"#, "requests[0].requests[1].subject is missing"),
            (#"{"requests":[{"requests":[]}]}"#, "requests[0].requests holds 0 requests"),
        ]
    )
    func fields(body: String, message: String) async throws {
        try await withServer { client in
            let response = try await client.decide(body)
            #expect(response.status == .badRequest)
            #expect(response.headers[.contentType] == "application/problem+json")
            let json = try response.json()
            #expect(json["code"] == "bad_request")
            #expect(json["detail"].text?.contains(message) == true, "\(json["detail"])")
        }
    }

    @Test("An unknown tier is unknown_tier, and says which are known")
    func unknownTier() async throws {
        try await withServer { client in
            let response = try await client.decide(#"{"subject":{"account":"a1","tier":"gold"},"method":"GET","path":"/v2/x"}"#)
            #expect(response.status == .badRequest)
            #expect(try response.json()["code"] == "unknown_tier")
            #expect(response.text.contains("'free', 'pro', 'enterprise'"))
        }
    }

    @Test("A custom tier without a limit of the account's own is custom_limit_missing")
    func customLimitMissing() async throws {
        try await withServer { client in
            let response = try await client.decide(#"{"subject":{"account":"a1","tier":"enterprise"},"method":"GET","path":"/v2/x"}"#)
            #expect(response.status == .badRequest)
            #expect(try response.json()["code"] == "custom_limit_missing")
        }
    }

    @Test("A whole number may have a fraction of zeros, as some languages write it")
    func wholeNumbers() async throws {
        try await withServer { client in
            let response = try await client.decide(#"{"subject":{"account":"a1","tier":"pro"},"method":"GET","path":"/v2/x","cost":3.0}"#)
            #expect(response.status == .ok)
            #expect(try response.json()["limits"][0]["remaining"] == .integer(97))
        }
    }

    @Test("64 requests are taken, 65 are refused, those of all-or-nothing items counted one by one")
    func mostRequests() async throws {
        @Sendable func batch(_ items: [String]) -> String { "{\"requests\":[\(items.joined(separator: ","))]}" }
        try await withServer { client in
            expect(.ok, try await client.decide(batch(Array(repeating: request, count: 64))))
            expect(.badRequest, try await client.decide(batch(Array(repeating: request, count: 65))))
            let pair = "{\"requests\":[\(request),\(request)]}"
            expect(.ok, try await client.decide(batch(Array(repeating: pair, count: 32))))
            expect(.badRequest, try await client.decide(batch(Array(repeating: pair, count: 33))))
        }
    }

    @Test("A body over 64 KiB is 413, with and without a Content-Length")
    func largeBody() async throws {
        try await withServer { client in
            let padding = String(repeating: " ", count: 64 * 1024 - request.utf8.count)
            expect(.ok, try await client.decide(request + padding))
            let response = try await client.decide(request + padding + " ")
            #expect(response.status == .contentTooLarge)
            #expect(try response.json()["code"] == "body_too_large")
        }
    }

    @Test("One bad item refuses a batch before anything is charged")
    func nothingCharged() async throws {
        try await withServer { client in
            let bad = #"{"subject":{"account":"a1","tier":"gold"},"method":"GET","path":"/v2/x"}"#
            let response = try await client.decide("{\"requests\":[\(request),\(bad)]}")
            #expect(response.status == .badRequest)
            #expect(try response.json()["detail"].text?.hasPrefix("requests[1]: ") == true)
            #expect(try await client.decide(request).json()["limits"][0]["remaining"] == .integer(99))
        }
    }

    @Test("An identity of more than 256 bytes is hashed, never refused")
    func longIdentity() async throws {
        try await withServer { client in
            let account = String(repeating: "a", count: 20_000)
            let response = try await client.decide(
                "{\"subject\":{\"account\":\"\(account)\",\"tier\":\"pro\"},\"method\":\"GET\",\"path\":\"/v2/x\"}"
            )
            #expect(response.status == .ok)
        }
    }

    @Test("A path that cannot be normalised is invalid_path")
    func invalidPath() async throws {
        try await withServer { client in
            let response = try await client.decide(#"{"subject":{"account":"a1","tier":"pro"},"method":"GET","path":"/v2/%zz"}"#)
            #expect(response.status == .badRequest)
            #expect(try response.json()["code"] == "invalid_path")
        }
    }
}
