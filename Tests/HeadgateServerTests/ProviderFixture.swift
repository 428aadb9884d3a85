import EmbeddedRedis
import Foundation
import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateHummingbird
import HeadgateJSON
import HeadgatePolicy
import HeadgateProvider
import HeadgateRedis
import HeadgateTesting
import HeadgateYAML
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceLifecycle
import Testing

@testable import HeadgateServer

/// A provider's page and all that a test may do to it: its customers' routes, its operators' and what stands in Redis.
struct Page: Sendable {
    let server: RedisServer
    let redis: RedisStore
    let accounts: AccountStore
    /// The public listener.
    let client: any TestClientProtocol
    /// The admin listener.
    let admin: any TestClientProtocol
    let limiter: RateLimitServer
}

/// The text of a policy of the repository.
func shippedPolicy(_ name: String) throws -> String {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../policies/\(name).yaml")
    return try String(contentsOf: file, encoding: .utf8)
}

/// Runs a test against a provider's routes, in process, over a redis-server of its own.
func withProvider(
    policy text: String? = nil,
    deadline: Duration = .seconds(5),
    _ change: (inout ServerConfiguration) throws -> Void = { _ in },
    _ test: @escaping @Sendable (Page) async throws -> Void
) async throws {
    let text = try text ?? shippedPolicy("tensorone")
    let policy = try Policy(yaml: text)
    var configuration = ServerConfiguration(policy: "test.yaml", deadline: deadline)
    try change(&configuration)
    let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    try await withRedisServer { [configuration] server in
        let backend = try await Backend.open(.redis(url: server.url), deadline: deadline, logger: quiet)
        let limiter = Limiter(store: backend.store, rules: policy)
        let page = try await ProviderBackend.open(configuration, backend, policy: policy, source: text, limiter, quiet)
        let provider = try #require(page)
        let served = RateLimitServer(
            limiter: limiter,
            style: ResponseStyle(policy.responses),
            configuration: configuration,
            logger: quiet,
            provider: provider.provider,
            policySource: text,
            gateway: nil,
            onListening: { _ in },
            onAdminListening: { _ in },
            probe: {}
        )
        let operators = Application(router: try #require(served.adminRouter))
        let redis = try #require(backend.redis)
        let accounts = AccountStore(redis, policy: policy)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in backend.services + provider.services { group.addTask { try await service.run() } }
            let result: Result<Void, any Error>
            do {
                try await served.application.test(.router) { client in
                    try await operators.test(.router) { admin in
                        try await test(
                            Page(server: server, redis: redis, accounts: accounts, client: client, admin: admin, limiter: served)
                        )
                    }
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            try? await group.waitForAll()
            try result.get()
        }
    }
}

extension Page {
    /// Makes an account with a key; returns the key.
    func key(_ account: String = "acme", tier: String = "pro", permissions: Set<String> = []) async throws -> String {
        let actor = Actor("test")
        if try await accounts.account(account) == nil { _ = try await accounts.create(account, tier: tier, by: actor) }
        return try await accounts.createKey(for: account, permissions: permissions, by: actor).text
    }

    /// Uses the API, as a proxy in front of it asks.
    func use(_ method: String, _ path: String, _ key: String, times: Int = 1) async throws {
        for _ in 0..<times {
            let fields: [(HTTPField.Name, String)] = [(.authorization, "Bearer \(key)"), (.forwardedMethod, method), (.forwardedURI, path)]
            expect(.ok, try await client.authorize(fields))
        }
    }
}

extension TestClientProtocol {
    /// Sends a request with a bearer token, a body and more fields.
    func send(
        _ method: HTTPRequest.Method,
        _ uri: String,
        _ token: String? = nil,
        _ body: String? = nil,
        _ fields: [(HTTPField.Name, String)] = []
    ) async throws -> TestResponse {
        var headers = HTTPFields()
        if let token { headers[.authorization] = "Bearer \(token)" }
        for (name, value) in fields { headers.append(HTTPField(name: name, value: value)) }
        return try await executeRequest(uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }
}

extension JSONValue {
    /// The names of an object, in order.
    var names: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.name)
    }

    var number: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }
}

extension HTTPField.Name {
    // The literals are tokens (RFC 9110 5.6.2), so the initialisers do not return nil.
    // swift-format-ignore: NeverForceUnwrap
    static let apiKey = Self("X-API-Key")!
    // swift-format-ignore: NeverForceUnwrap
    static let xForwardedFor = Self("X-Forwarded-For")!
}

/// Waits until something is so, at most a few seconds.
func eventually(within limit: Duration = .seconds(5), _ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return try await condition()
}
