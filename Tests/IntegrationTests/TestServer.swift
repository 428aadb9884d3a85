import EmbeddedRedis
import Foundation
import HeadgateRedis
import HTTPTypes
import HummingbirdTesting
import NIOCore

/// A `headgate serve` process on a port of its own.
struct TestServer {
    let executable: Executable
    let port: Int

    /// Where the repository's policies are.
    static func policy(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../policies/\(name).yaml")
            .standardizedFileURL.path
    }

    /// Makes the user that `headgate redis-acl` prints; returns the URL with which a server is that user.
    @discardableResult
    static func leastPrivileged(_ url: String) async throws -> String {
        let rules = try RedisAccess(for: .server).rules
        _ = try await redisCLI(url, ["ACL", "SETUSER", "headgate", "reset", "on", ">least-privileged"] + rules)
        return url + (url.contains("?") ? "&" : "?") + "user=headgate&password=least-privileged"
    }

    /// Starts a server, on a Redis with no more rights than it needs, and waits until it listens.
    static func start(
        policy: String = policy("tensorone"),
        redis: String,
        _ more: String...,
        environment: [String: String] = [:]
    ) async throws -> TestServer {
        let redis = redis.contains("://") ? try await leastPrivileged(redis) : redis
        let executable = try Executable(
            "headgate",
            ["serve", "--policy", policy, "--listen", "127.0.0.1:0", "--redis", redis, "--log-level", "error"] + TestServer.admin(more)
                + more,
            environment: environment
        )
        return TestServer(executable: executable, port: try await port(of: executable, behind: "listening on http://"))
    }

    /// The listener for operators, of a server that was started with `--admin-listen 127.0.0.1:0`.
    func operators() async throws -> TestServer {
        TestServer(executable: executable, port: try await TestServer.port(of: executable, behind: "operators on http://"))
    }

    private static func port(of executable: Executable, behind part: String) async throws -> Int {
        let line = try await executable.line(containing: part)
        guard let digits = line.split(separator: ":").last?.prefix(while: \.isNumber), let port = Int(digits) else {
            throw Unexpected(what: "no port in '\(line)'")
        }
        return port
    }

    /// Where operators' requests are taken: nowhere, unless a test says where, since the default port is taken once only.
    private static func admin(_ more: [String]) -> [String] { more.contains("--admin-listen") ? [] : ["--admin-listen", "none"] }

    /// Sends requests over one connection.
    func connect<Result: Sendable>(_ body: @Sendable @escaping (Connection) async throws -> Result) async throws -> Result {
        try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: .init(timeout: .seconds(20))) { client in
            try await body(Connection(client: client))
        }
    }

    /// Asks whether an account's request may go on, as a proxy would.
    func authorize(_ method: String, _ path: String, account: String, tier: String) async throws -> TestClient.Response {
        try await connect { try await $0.authorize(method, path, account: account, tier: tier) }
    }

    /// Posts JSON; returns the status and the parsed answer.
    func post(_ path: String, _ json: String) async throws -> (status: Int, json: [String: any Sendable]) {
        let response = try await connect { try await $0.post(path, body: ByteBuffer(string: json)) }
        return (response.status.code, try parse(response.body))
    }
}

/// One connection to a server.
///
/// Hummingbird's own client sends no `Host`, which HTTP/1.1 requires (RFC 9112 3.2) and the server insists on.
struct Connection: Sendable {
    let client: TestClient

    func get(_ uri: String, headers: HTTPFields = [:]) async throws -> TestClient.Response { try await send(.get, uri, headers, nil) }

    func post(_ uri: String, headers: HTTPFields = [:], body: ByteBuffer) async throws -> TestClient.Response {
        try await send(.post, uri, headers, body)
    }

    func delete(_ uri: String, headers: HTTPFields = [:], body: ByteBuffer) async throws -> TestClient.Response {
        try await send(.delete, uri, headers, body)
    }

    func send(
        _ method: HTTPRequest.Method,
        _ uri: String,
        _ headers: HTTPFields,
        _ body: ByteBuffer?
    ) async throws -> TestClient.Response {
        try await client.execute(.init(uri, method: method, authority: "127.0.0.1", headers: headers, body: body))
    }

    func authorize(_ method: String, _ path: String, account: String, tier: String) async throws -> TestClient.Response {
        try await get(
            "/v1/authorize",
            headers: [
                .headgateAccount: account, .headgateTier: tier, .forwardedMethod: method, .forwardedURI: path,
            ]
        )
    }
}

/// The members of a JSON object.
func parse(_ body: ByteBuffer?) throws -> [String: any Sendable] {
    guard let body, let object = try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: any Sendable] else {
        throw Unexpected(what: "no JSON object: \(body.map { String(buffer: $0) } ?? "nothing")")
    }
    return object
}

extension HTTPField.Name {
    // Literals are valid tokens, so the initialiser does not return nil.
    // swift-format-ignore: NeverForceUnwrap
    static let headgateAccount = Self("X-Headgate-Account")!
    // swift-format-ignore: NeverForceUnwrap
    static let headgateTier = Self("X-Headgate-Tier")!
    // swift-format-ignore: NeverForceUnwrap
    static let forwardedMethod = Self("X-Forwarded-Method")!
    // swift-format-ignore: NeverForceUnwrap
    static let forwardedURI = Self("X-Forwarded-Uri")!
    // swift-format-ignore: NeverForceUnwrap
    static let limit = Self("X-RateLimit-Limit")!
    // swift-format-ignore: NeverForceUnwrap
    static let remaining = Self("X-RateLimit-Remaining")!
    // swift-format-ignore: NeverForceUnwrap
    static let degraded = Self("X-Headgate-Degraded")!
}

/// The Redis that the tests use: the one that HEADGATE_TEST_REDIS_URL names, else one of their own.
func withTestRedis<Result>(_ body: (_ url: String) async throws -> Result) async throws -> Result {
    if let url = ProcessInfo.processInfo.environment["HEADGATE_TEST_REDIS_URL"], !url.isEmpty { return try await body(url) }
    let server = try await RedisServer.start()
    do {
        let result = try await body(server.url)
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}

/// An account's name that no other test and no earlier run has used.
func freshAccount() -> String { "test-\(UInt64.random(in: 0 ... .max))" }

/// Asks Redis as an operator does.
func redisCLI(_ url: String, _ arguments: String...) async throws -> String { try await redisCLI(url, arguments) }

func redisCLI(_ url: String, _ arguments: [String]) async throws -> String {
    let address = url.hasPrefix("unix://") ? ["-s", String(url.dropFirst("unix://".count))] : ["-u", url]
    let cli = try Executable("/usr/bin/env", ["redis-cli"] + address + arguments)
    _ = try await cli.end()
    return cli.printed.joined(separator: "\n")
}
