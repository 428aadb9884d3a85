import HTTPTypes
import Headgate
import HeadgateJSON
import HeadgateHTTP
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HeadgateServer

@Suite("ANY /v1/authorize")
struct AuthorizeTests {
    private static let subject: [(HTTPField.Name, String)] = [(.headgateAccount, "a1"), (.headgateTier, "pro")]
    private static let cluster = subject + [(.forwardedMethod, "POST"), (.forwardedURI, "/v2/clusters?x=1")]

    @Test("answers any method with the policy's fields and no body", arguments: ["GET", "POST", "HEAD", "PROPFIND", "DELETE"])
    func methods(name: String) async throws {
        let method = try #require(HTTPRequest.Method(name))
        try await withServer { client in
            let response = try await client.authorize(Self.cluster, method: method)
            #expect(response.status == .ok)
            #expect(response.headers[.xRateLimitLimit] == "1")
            #expect(response.headers[.xRateLimitRemaining] == "0")
            #expect(response.body.readableBytes == 0)
            #expect(response.headers[.headgateStatus] == nil)
        }
    }

    @Test("takes nginx' fields as well")
    func original() async throws {
        try await withServer { client in
            let response = try await client.authorize(Self.subject + [(.originalMethod, "POST"), (.originalURI, "/v2/clusters")])
            #expect(response.headers[.xRateLimitLimit] == "1")
        }
    }

    @Test("answers a denial with 429 in the policy's style, and HEAD without the body")
    func denied() async throws {
        try await withServer { client in
            _ = try await client.authorize(Self.cluster)
            let response = try await client.authorize(Self.cluster)
            #expect(response.status == .tooManyRequests)
            #expect(response.headers[.retryAfter] != nil)
            #expect(response.text.hasPrefix(#"{"error":"RATE_LIMIT_EXCEEDED""#))
            let head = try await client.authorize(Self.cluster, method: .head)
            #expect(head.status == .tooManyRequests)
            #expect(head.body.readableBytes == 0)
        }
    }

    @Test("maps every refusal to 403 for nginx, and tells the true status")
    func deny403() async throws {
        try await withServer { client in
            expect(.ok, try await client.authorize(Self.cluster, query: "?deny=403"))
            let denied = try await client.authorize(Self.cluster, query: "?deny=403")
            #expect(denied.status == .forbidden)
            #expect(denied.headers[.headgateStatus] == "429")
            #expect(denied.headers[.retryAfter] != nil)
            let bad = try await client.authorize([], query: "?deny=403")
            #expect(bad.status == .forbidden)
            #expect(bad.headers[.headgateStatus] == "400")
        }
    }

    @Test("reads permissions and priority")
    func permissions() async throws {
        try await withServer { client in
            let fields = Self.cluster + [(.headgatePermissions, "other, read-only ,"), (.xPriority, "high")]
            let response = try await client.authorize(fields)
            #expect(response.status == .tooManyRequests)
            #expect(response.headers[.retryAfter] == nil)
        }
    }

    @Test("only looks at concurrency limits")
    func concurrency() async throws {
        try await withServer { client in
            for _ in 0..<3 {
                let fields: [(HTTPField.Name, String)] = [
                    (.headgateAccount, "a1"), (.headgateTier, "free"), (.forwardedMethod, "GET"), (.forwardedURI, "/v2/x"),
                ]
                expect(.ok, try await client.authorize(fields))
            }
        }
    }

    @Test(
        "refuses what it cannot judge with 400",
        arguments: [
            [(HTTPField.Name.forwardedMethod, "GET"), (.forwardedURI, "/v2/x")],
            subject + [(.forwardedMethod, "GET")],
            subject + [(.forwardedURI, "/v2/x")],
            cluster + [(.headgateAccount, "a2")],
            cluster + [(.forwardedURI, "/v2/y")],
            cluster + [(.originalURI, "/v2/y")],
            cluster + [(.originalMethod, "GET")],
            [(.headgateAccount, "a\u{FFFD}"), (.headgateTier, "pro"), (.forwardedMethod, "GET"), (.forwardedURI, "/v2/x")],
            [(.headgateAccount, "a1"), (.headgateTier, "gold"), (.forwardedMethod, "GET"), (.forwardedURI, "/v2/x")],
            subject + [(.forwardedMethod, "GET"), (.forwardedURI, "/v2/%zz")],
        ]
    )
    func badRequests(fields: [(HTTPField.Name, String)]) async throws {
        try await withServer { client in
            let response = try await client.authorize(fields)
            #expect(response.status == .badRequest)
            #expect(response.headers[.contentType] == "application/json")
        }
    }

    @Test("lets requests pass without the store, and says so")
    func degraded() async throws {
        try await withServer(store: AwayStore()) { client in
            let response = try await client.authorize(Self.cluster)
            #expect(response.status == .ok)
            #expect(response.headers[.headgateDegraded] == "connect;policy=open")
        }
    }
}
