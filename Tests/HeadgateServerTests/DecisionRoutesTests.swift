import HTTPTypes
import Headgate
import HeadgateJSON
import HeadgatePolicy
import HeadgateYAML
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import HeadgateServer

@Suite("POST /v1/decisions")
struct DecisionRoutesTests {
    @Test("answers one decision with every limit's part in it, whatever the Content-Type says")
    func single() async throws {
        try await withServer { client in
            let response = try await client.executeRequest(
                uri: "/v1/decisions",
                method: .post,
                headers: [.contentType: "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: #"{"subject":{"account":"a1","tier":"pro","permissions":[]},"method":"POST","path":"/clusters"}"#)
            )
            #expect(response.status == .ok)
            let json = try response.json()
            #expect(json["allowed"] == .boolean(true))
            #expect(json["outcome"] == "allowed")
            #expect(json["binding"] == "POST/clusters")
            #expect(json["permanent"] == .boolean(false))
            #expect(json["lease"] == .null)
            #expect(json["degraded"] == .null)
            let limit = json["limits"][1]
            #expect(limit["id"] == "POST/clusters")
            #expect(limit["role"] == "endpoint")
            #expect(limit["verdict"] == "allowed")
            #expect(limit["limit"] == .integer(1))
            #expect(limit["remaining"] == .integer(0))
            #expect(limit["window_seconds"] == .integer(3_600))
            #expect(limit["reset_at"].text?.hasSuffix("Z") == true)
        }
    }

    @Test("answers a denial with 200, the limit that binds and the time to wait")
    func denied() async throws {
        let body = #"{"subject":{"account":"a1","tier":"pro"},"method":"POST","path":"/v2/clusters"}"#
        try await withServer { client in
            _ = try await client.decide(body)
            let response = try await client.decide(body)
            #expect(response.status == .ok)
            let json = try response.json()
            #expect(json["allowed"] == .boolean(false))
            #expect(json["outcome"] == "denied")
            #expect(json["binding"] == "POST/clusters")
            #expect(json["retry_after_ms"] != .null)
            // What the endpoint denied, the class was not charged for.
            #expect(json["limits"][0]["remaining"] == .integer(49))
        }
    }

    @Test("answers a permanent denial as such")
    func permanent() async throws {
        try await withServer { client in
            let body = #"{"subject":{"account":"a1","tier":"pro","permissions":["read-only"]},"method":"PUT","path":"/v2/x"}"#
            let json = try await client.decide(body).json()
            #expect(json["permanent"] == .boolean(true))
            #expect(json["retry_after_ms"] == .null)
            #expect(json["reset_at"] == .null)
        }
    }

    @Test("judges a batch in order, each item by itself")
    func batch() async throws {
        try await withServer { client in
            let one = #"{"subject":{"account":"a1","tier":"pro"},"method":"POST","path":"/v2/clusters"}"#
            let json = try await client.decide("{\"requests\":[\(one),\(one)]}").json()
            #expect(json["decisions"][0]["allowed"] == .boolean(true))
            #expect(json["decisions"][1]["allowed"] == .boolean(false))
            #expect(json["decisions"][2] == .null)
        }
    }

    @Test("takes several requests of an item together or not at all")
    func allOrNothing() async throws {
        try await withServer { client in
            let cluster = #"{"subject":{"account":"a1","tier":"pro"},"method":"POST","path":"/v2/clusters"}"#
            let other = #"{"subject":{"account":"a1","tier":"pro"},"method":"GET","path":"/v2/x"}"#
            let json = try await client.decide("{\"requests\":[{\"requests\":[\(cluster),\(cluster),\(other)]},\(other)]}").json()
            #expect(json["decisions"][0]["allowed"] == .boolean(false))
            #expect(json["decisions"][1]["limits"][0]["remaining"] == .integer(99))
        }
    }

    @Test("charges nothing for a peek")
    func peek() async throws {
        try await withServer { client in
            for _ in 0..<3 {
                let body = #"{"subject":{"account":"a1","tier":"pro"},"method":"POST","path":"/v2/clusters","peek":true}"#
                let json = try await client.decide(body).json()
                #expect(json["allowed"] == .boolean(true))
            }
        }
    }

    @Test("takes the account's own limits")
    func overrides() async throws {
        try await withServer { client in
            let subject = #"{"account":"a1","tier":"enterprise","overrides":{"read":"7/hour","write":"unlimited"}}"#
            let json = try await client.decide("{\"subject\":\(subject),\"method\":\"GET\",\"path\":\"/v2/x\",\"cost\":3}").json()
            #expect(json["limits"][0]["limit"] == .integer(7))
            #expect(json["limits"][0]["remaining"] == .integer(4))
        }
    }

    @Test("says that a decision was made without the store, and names no address")
    func degraded() async throws {
        try await withServer(store: AwayStore()) { client in
            let response = try await client.decide(#"{"subject":{"account":"a1","tier":"pro"},"method":"GET","path":"/v2/x"}"#)
            #expect(try response.json()["degraded"] == "connect")
            #expect(try response.json()["degraded_by"] == "open")
            #expect(!response.text.contains("10.0.0.7"))
        }
    }

    @Test("keeps to a share of a limit without the store, and leases of it are renewed and released here")
    func local() async throws {
        let policy = try Policy(yaml: "on_redis_failure: local\n" + policyText)
        try await withServer(store: AwayStore(instances: 2), policy: policy) { client in
            let body = #"{"subject":{"account":"a1","tier":"free"},"method":"GET","path":"/v2/x"}"#
            let json = try await client.decide(body).json()
            #expect(json["allowed"] == .boolean(true) && json["degraded_by"] == "local" && json["degraded"] == "connect")
            #expect(json["limits"][0]["limit"] == .integer(5) && json["limits"][0]["share"] == .integer(3))
            #expect(json["limits"][0]["remaining"] == .integer(2))
            let denied = try await client.decide(body).json()
            #expect(denied["outcome"] == "denied" && denied["binding"] == "concurrency" && denied["retry_after_ms"] == .integer(1_000))
            let lease = try #require(json["lease"].text)
            expect(.ok, try await client.executeRequest(uri: "/v1/leases/\(lease)/renew", method: .post, headers: [:], body: nil))
            expect(.noContent, try await client.executeRequest(uri: "/v1/leases/\(lease)", method: .delete, headers: [:], body: nil))
            #expect(try await client.decide(body).json()["allowed"] == .boolean(true))
        }
    }
}

@Suite("Leases over HTTP")
struct LeaseRoutesTests {
    @Test("A lease is renewed and released by its id alone, once")
    func lifecycle() async throws {
        try await withServer { client in
            let body = #"{"subject":{"account":"a b","tier":"free"},"method":"GET","path":"/v2/x"}"#
            let lease = try #require(try await client.decide(body).json()["lease"].text)
            #expect(try await client.decide(body).json()["allowed"] == .boolean(false))
            let renewal = try await client.executeRequest(uri: "/v1/leases/\(lease)/renew", method: .post, headers: [:], body: nil)
            #expect(renewal.status == .ok)
            #expect(try renewal.json()["time_to_live_ms"] == .integer(30_000))
            let release = try await client.executeRequest(uri: "/v1/leases/\(lease)", method: .delete, headers: [:], body: nil)
            #expect(release.status == .noContent)
            #expect(try await client.decide(body).json()["allowed"] == .boolean(true))
            for (uri, method) in [("/v1/leases/\(lease)", HTTPRequest.Method.delete), ("/v1/leases/\(lease)/renew", .post)] {
                let again = try await client.executeRequest(uri: uri, method: method, headers: [:], body: nil)
                #expect(again.status == .notFound)
                #expect(try again.json()["code"] == "lease_lost")
            }
        }
    }

    @Test("A malformed id is 400", arguments: ["x", "%00", "MQ", "MQo", String(repeating: "A", count: 20_000), "MQp4Cng"])
    func malformed(id: String) async throws {
        try await withServer { client in
            expect(.badRequest, try await client.executeRequest(uri: "/v1/leases/\(id)", method: .delete, headers: [:], body: nil))
        }
    }

    @Test("A store that is away is 503")
    func away() async throws {
        let slot = Lease.Slot(identity: try Identity(.account, "a"), limit: try Limit("slots", .concurrency(1)))
        let token = LeaseToken.text(of: Lease(id: String(repeating: "a", count: 32), slots: [slot]))
        try await withServer(store: AwayStore()) { client in
            let response = try await client.executeRequest(uri: "/v1/leases/\(token)", method: .delete, headers: [:], body: nil)
            #expect(response.status == .serviceUnavailable)
            #expect(response.headers[.retryAfter] == "1")
            #expect(!response.text.contains("10.0.0.7"))
        }
    }

    @Test("A token is read back as the lease it was made of")
    func roundTrip() throws {
        for name in ["a1", "a b", "é\n", String(repeating: "x", count: 300)] {
            let slots = try [1, 500].map { slots in
                Lease.Slot(
                    identity: try Identity(.key, name),
                    limit: try Limit("GET/a*=+/\(slots)", .concurrency(slots, timeToLive: .milliseconds(12_345)))
                )
            }
            let lease = Lease(id: "0123456789abcdef0123456789abcdef", slots: slots)
            let token = LeaseToken.text(of: lease)
            #expect(try LeaseToken.lease(token) == lease)
            #expect(token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        }
    }
}
