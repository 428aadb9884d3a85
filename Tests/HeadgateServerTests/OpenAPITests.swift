import HTTPTypes
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgateJSON
import HeadgatePolicy
import HeadgateYAML
import Hummingbird
import HummingbirdTesting
import Logging
import Testing

@testable import HeadgateServer

@Suite("The OpenAPI documents")
struct OpenAPITests {
    @Test("are OpenAPI 3.1, and served without a token", arguments: Listener.allCases)
    func served(listener: Listener) async throws {
        try await withListener(listener) { client in
            let response = try await client.executeRequest(uri: "/openapi.json", method: .get, headers: [:], body: nil)
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "application/json")
            let json = try response.json()
            #expect(json["openapi"] == "3.1.0")
            #expect(json == listener.document.json)
            #expect(!json["paths"].members.isEmpty)
        }
    }

    @Test("have every route", arguments: Listener.allCases)
    func routes(listener: Listener) async throws {
        let routes = try await listener.router().routes
        #expect(!routes.isEmpty)
        for route in routes {
            let operation = listener.document.json["paths"][route.path.description][route.method.rawValue.lowercased()]
            #expect(operation["responses"] != .null, "\(route)")
        }
    }

    @Test("have nothing that is not served", arguments: Listener.allCases)
    func documented(listener: Listener) async throws {
        try await withListener(listener) { client in
            for operation in listener.document.operations {
                let response = try await client.executeRequest(uri: operation.uri, method: operation.method, headers: [:], body: nil)
                #expect(response.status != .notFound, "\(operation)")
                #expect(response.status != .methodNotAllowed, "\(operation)")
                let status = String(response.status.code)
                #expect(operation.responses.contains(status) || operation.method == .head, "\(operation) \(status)")
            }
        }
    }

    @Test("A path answers methods that it does not have with 405 and those that it has", arguments: Listener.allCases)
    func otherMethods(listener: Listener) async throws {
        let all: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]
        let operations = Dictionary(grouping: listener.document.operations, by: \.uri).filter { $0.value.count < 8 }
        try await withListener(listener) { client in
            for (uri, operations) in operations {
                let own = Set(operations.map(\.method))
                let allowed = own.contains(.get) ? own.union([.head]) : own
                for method in all where !allowed.contains(method) {
                    let response = try await client.executeRequest(uri: uri, method: method, headers: [:], body: nil)
                    #expect(response.status == .methodNotAllowed, "\(method) \(uri)")
                    let fields = (response.headers[.allow] ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
                    #expect(Set(fields.map { String($0) }) == Set(allowed.map(\.rawValue)), "\(method) \(uri)")
                }
            }
        }
    }

    @Test("An unknown path is 404 with a body that says so, whatever the method", arguments: Listener.allCases)
    func unknownPath(listener: Listener) async throws {
        try await withListener(listener) { client in
            for uri in ["/", "/v1", "/v1/nope", "/v1/accounts/acme/nope", "/livez/x"] {
                let response = try await client.executeRequest(uri: uri, method: .post, headers: [:], body: nil)
                #expect(response.status == .notFound, "\(uri)")
                #expect(try response.json()["code"] == "not_found", "\(uri)")
            }
        }
    }

    @Test("An error that answers HEAD has no body", arguments: Listener.allCases)
    func head(listener: Listener) async throws {
        try await withListener(listener) { client in
            for uri in ["/nope", "/v1/accounts/acme", "/auth/rate-limits", "/v1/authorize", "/v1/leases/x"] {
                let response = try await client.executeRequest(uri: uri, method: .head, headers: [:], body: nil)
                #expect(response.status.code >= 400, "\(uri)")
                #expect(response.body.readableBytes == 0, "\(uri)")
            }
        }
    }

    @Test("The public one has the paths that are served: a gateway has the services' none, a server without accounts the customers' none")
    func parts() async throws {
        let gateway = OpenAPIDocument.publicListener(with: [.customers, .operations])
        let own = ["/auth/rate-limits", "/auth/temporary-boost", "/auth/limit-increase", "/analytics/api-usage"]
        let health = ["/livez", "/readyz", "/openapi.json"]
        #expect(gateway.json["paths"].members.map(\.name) == own + health)
        #expect(gateway.json["tags"][1]["name"] == "operations")
        #expect(gateway.json["info"]["description"].text?.contains("forwarded") == true)
        try await withServer { client in
            let json = try await client.executeRequest(uri: "/openapi.json", method: .get, headers: [:], body: nil).json()
            let paths = json["paths"].members.map(\.name)
            #expect(paths == ["/v1/decisions", "/v1/authorize", "/v1/leases/{id}/renew", "/v1/leases/{id}"] + health)
            #expect(json["info"]["description"].text?.contains("forwarded") == false)
        }
    }
}

/// One of the server's two listeners, on a Redis that is away.
enum Listener: CaseIterable {
    case customers, operators

    var document: OpenAPIDocument {
        switch self {
        case .customers: .publicListener(with: Set(OpenAPIDocument.Part.allCases))
        case .operators: .admin
        }
    }

    func router() async throws -> Router<ServerContext> {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let policy = try Policy(yaml: policyText)
        let backend = try await Backend.open(.redis(url: "redis://127.0.0.1:1"), deadline: .milliseconds(10), logger: logger)
        let limiter = Limiter(store: backend.store, rules: policy)
        let configuration = ServerConfiguration(policy: "test.yaml")
        let page = try await ProviderBackend.open(configuration, backend, policy: policy, source: policyText, limiter, logger)
        let server = RateLimitServer(
            limiter: limiter,
            style: ResponseStyle(policy.responses),
            configuration: configuration,
            logger: logger,
            provider: page?.provider,
            probe: {}
        )
        switch self {
        case .customers: return server.router
        case .operators: return try #require(server.adminRouter)
        }
    }
}

private func withListener(_ listener: Listener, _ test: @Sendable (any TestClientProtocol) async throws -> Void) async throws {
    try await Application(router: try await listener.router()).test(.router, test)
}

/// An operation of a document, with a path that it answers.
private struct Operation: CustomStringConvertible {
    let method: HTTPRequest.Method
    let uri: String
    let responses: [String]

    var description: String { "\(method) \(uri)" }
}

extension OpenAPIDocument {
    fileprivate var operations: [Operation] {
        json["paths"].members.flatMap { path in OpenAPIDocument.operations(of: path) }
    }

    private static func operations(of path: JSONValue.Member) -> [Operation] {
        // Any name stands for itself.
        let uri = path.name.filter { $0 != "{" && $0 != "}" }
        return path.value.members.compactMap { member in
            guard member.value["responses"] != .null, let method = HTTPRequest.Method(member.name.uppercased()) else { return nil }
            return Operation(method: method, uri: uri, responses: member.value["responses"].members.map(\.name))
        }
    }
}

extension JSONValue {
    fileprivate var members: [Member] {
        guard case .object(let members) = self else { return [] }
        return members
    }
}
