import HTTPTypes
import HeadgateJSON
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HeadgateServer

/// What schemathesis found, one by one; `scripts/check-openapi` looks for more.
@Suite("Answers as they are documented")
struct DocumentedAnswersTests {
    @Test("Operators' errors are problem details, whatever the policy's style")
    func operatorsStyle() async throws {
        try await withProvider { page in
            _ = try await page.key("acme")
            let response = try await page.admin.send(.get, "/v1/accounts/acme/limits?include=everything")
            #expect(response.status == .badRequest)
            #expect(response.headers[.contentType] == "application/problem+json")
            #expect(try response.json()["field"] == "include")
        }
    }

    @Test("Something that is empty is not to be included", arguments: ["", ",", "endpoints,"])
    func include(text: String) async throws {
        try await withProvider { page in
            let key = try await page.key("acme")
            expect(.badRequest, try await page.client.send(.get, "/auth/rate-limits?include=\(text)", key))
            expect(.ok, try await page.client.send(.get, "/auth/rate-limits?include=endpoints", key))
        }
    }

    @Test("A number is no text, but in customers' own words")
    func numbers() async throws {
        try await withProvider { page in
            let response = try await page.admin.send(.post, "/v1/accounts", nil, #"{"account":7}"#)
            #expect(response.status == .badRequest)
            #expect(try response.json()["field"] == "account")
            let key = try await page.key("acme")
            let increase = #"{"expected_volume":5000,"use_case":"import","timeline":1e2}"#
            let asked = try await page.client.send(.post, "/auth/limit-increase", key, increase)
            #expect(asked.status == .accepted)
            #expect(try asked.json()["expected_volume"] == "5000" && asked.json()["timeline"] == "1e2")
        }
    }

    @Test("Who sends operators no token guesses none, and is not locked out")
    func noToken() async throws {
        let token = "0123456789abcdef"
        try await withProvider { configuration in
            configuration.adminToken = try Secret(token, named: "admin_token")
        } _: { page in
            for _ in 0..<20 { expect(.unauthorized, try await page.admin.send(.get, "/v1/policy")) }
            expect(.ok, try await page.admin.send(.get, "/v1/policy", token))
        }
    }

    @Test("Any part of a path may be escaped")
    func escapes() async throws {
        try await withProvider { page in
            let key = try await page.key("acme")
            let id = key.split(separator: "_")[1]
            let first = try #require(id.utf8.first)
            let escaped = "%" + String(first, radix: 16) + id.dropFirst()
            let revoked = try await page.admin.send(.delete, "/v1/keys/\(escaped)")
            #expect(revoked.status == .ok)
            #expect(try revoked.json()["key"].text == String(id))
        }
    }
}
