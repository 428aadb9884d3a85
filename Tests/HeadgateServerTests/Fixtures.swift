import HeadgateJSON
import HTTPTypes
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgatePolicy
import HeadgateYAML
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import HeadgateServer

/// A small policy with everything that the routes tell apart.
let policyText = """
    name: test
    base_path: /v2
    responses: { headers: [x-ratelimit], error_body: nested }
    classes:
      read: [GET /**, HEAD /**]
      write: ["* /**"]
    tiers:
      free: { limits: { read: 5/hour, write: 2/hour }, concurrency: 1 }
      pro: { limits: { read: 100/hour, write: 50/hour } }
      enterprise: { limits: { read: custom, write: unlimited } }
    endpoints:
      - { match: POST /clusters, limit: 1/hour }
    permissions:
      read-only: { limits: { write: 0 } }
    """

/// Runs a test against the routes, in process.
func withServer(
    store: any LimitStore = MemoryStore(),
    policy: Policy? = nil,
    listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 0),
    identityTrust: ServerConfiguration.IdentityTrust = .loopback,
    probe: @escaping @Sendable () async throws(LimiterError) -> Void = {},
    _ test: @Sendable (any TestClientProtocol) async throws -> Void
) async throws {
    let policy = try policy ?? Policy(yaml: policyText)
    let server = RateLimitServer(
        limiter: Limiter(store: store, rules: policy),
        style: ResponseStyle(policy.responses),
        configuration: ServerConfiguration(policy: "test.yaml", listen: listen, identityTrust: identityTrust),
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        probe: probe
    )
    try await server.application.test(.router, test)
}

extension TestClientProtocol {
    /// Posts a body to `/v1/decisions`.
    func decide(_ body: String) async throws -> TestResponse {
        try await executeRequest(uri: "/v1/decisions", method: .post, headers: [:], body: ByteBuffer(string: body))
    }

    /// Asks `/v1/authorize` as a proxy does.
    func authorize(
        _ fields: [(HTTPField.Name, String)],
        method: HTTPRequest.Method = .get,
        query: String = ""
    ) async throws -> TestResponse {
        var headers = HTTPFields()
        for (name, value) in fields { headers.append(HTTPField(name: name, value: value)) }
        return try await executeRequest(uri: "/v1/authorize\(query)", method: method, headers: headers, body: nil)
    }
}

/// Expects a response's status.
func expect(_ status: HTTPResponse.Status, _ response: TestResponse, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(response.status == status, "\(response.text)", sourceLocation: sourceLocation)
}

extension TestResponse {
    var text: String { String(buffer: body) }

    /// The body, read as JSON.
    func json() throws -> JSONValue { try JSONParser.parse(Array(body.readableBytesView)) }
}

extension JSONValue {
    /// A member of an object, or null.
    subscript(name: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members.first { $0.name == name }?.value ?? .null
    }

    /// An element of an array, or null.
    subscript(index: Int) -> JSONValue {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return .null }
        return elements[index]
    }

    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}

/// A store that gives no answer.
struct AwayStore: LimitStore {
    var error = LimiterError(.connect, "10.0.0.7:6379: connection refused")
    var instances = 1

    func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply { throw error }
    func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] { throw error }
    func renew(_ lease: Lease) async throws(LimiterError) { throw error }
    func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd { throw error }
    func abandon(_ lease: Lease) {}
    func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) { throw error }
}
