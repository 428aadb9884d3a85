import Foundation
import HTTPTypes
import Headgate
import HeadgateJSON
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HeadgateServer

@Suite("Health and trust")
struct OperationsTests {
    @Test("/livez is 200 whatever the store does, /readyz asks the store")
    func health() async throws {
        try await withServer(store: AwayStore(), probe: { () throws(LimiterError) in throw LimiterError(.loading, "10.0.0.7 loads") }) {
            client in
            for method in [HTTPRequest.Method.get, .head] {
                expect(.ok, try await client.executeRequest(uri: "/livez", method: method, headers: [:], body: nil))
            }
            let response = try await client.executeRequest(uri: "/readyz", method: .get, headers: [:], body: nil)
            #expect(response.status == .serviceUnavailable)
            #expect(response.headers[.retryAfter] == "1")
            #expect(response.text == #"{"ready":false,"reason":"loading"}"#)
        }
        try await withServer { client in
            expect(.ok, try await client.executeRequest(uri: "/readyz", method: .get, headers: [:], body: nil))
        }
    }

    @Test("Readiness is off from the first moment of a shutdown, without asking the store")
    func draining() async throws {
        let readiness = Readiness(probe: {})
        try await readiness.check()
        readiness.beginDraining()
        let refusal = await #expect(throws: Readiness.Refusal.self) { try await readiness.check() }
        #expect(refusal?.reason == "draining")
    }

    @Test("Identities are believed on a loopback listener, and elsewhere only when told to")
    func trust() async throws {
        let uris: [(String, HTTPRequest.Method)] = [("/v1/decisions", .post), ("/v1/authorize", .get), ("/v1/leases/x", .delete)]
        let open = ListenAddress(host: "0.0.0.0", port: 0)
        for (uri, method) in uris {
            try await withServer(listen: open) { client in
                let response = try await client.executeRequest(uri: uri, method: method, headers: [:], body: nil)
                #expect(response.status == .forbidden)
                #expect(try response.json()["code"] == "untrusted_caller")
                #expect(response.text.contains("--trust-identity-headers"))
                expect(.ok, try await client.executeRequest(uri: "/livez", method: .get, headers: [:], body: nil))
            }
            // Other spellings of the same route are no way in.
            for spelling in ["/\(uri)", "//\(uri)", uri.replacingOccurrences(of: "/v1/", with: "/v1//")] {
                try await withServer(listen: open) { client in
                    let response = try await client.executeRequest(uri: spelling, method: method, headers: [:], body: nil)
                    #expect(response.status == .forbidden, "\(spelling)")
                }
            }
            try await withServer(listen: open, identityTrust: .everybody) { client in
                expect(.badRequest, try await client.executeRequest(uri: uri, method: method, headers: [:], body: nil))
            }
        }
    }
}
