import Configuration
import Foundation
import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateJSON
import HeadgateProvider
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import HeadgateServer

private let writeToken = "write-token-0123456789"
private let readToken = "read-token-0123456789"

@Suite("Who may do what operators do", .serialized, .exclusive)
struct AdminAccessTests {
    private static func both(_ configuration: inout ServerConfiguration) throws {
        configuration.adminToken = try Secret(writeToken, named: "admin_token")
        configuration.adminReadToken = try Secret(readToken, named: "admin_read_token")
        configuration.clients = .init(trust: .hops(1))
    }

    /// Every route, with whether it changes something.
    private func routes(_ page: Page) throws -> [(method: HTTPRequest.Method, path: String)] {
        let routes = try #require(page.limiter.adminRouter).routes.map { (method: $0.method, path: $0.path.description) }
        return routes.filter { !["/livez", "/readyz", "/openapi.json"].contains($0.path) }
    }

    @Test("Every route is closed without a token, readers look and change nothing, writers do both")
    func roles() async throws {
        try await withProvider(policy: nil, Self.both) { page in
            let routes = try routes(page)
            #expect(routes.count >= 18)
            for (index, route) in routes.enumerated() {
                // Each from an address of its own, since wrong tokens lock out.
                let fields: [(HTTPField.Name, String)] = [(.xForwardedFor, "192.0.2.\(index)")]
                for token in [nil, "", "wrong-token-0123456789", String(writeToken.dropLast()), writeToken + "x"] {
                    let closed = try await page.admin.send(route.method, route.path, token, "{}", fields)
                    HeadgateServerTests.expect(.unauthorized, closed)
                    #expect(closed.headers[.wwwAuthenticate] == #"Bearer realm="headgate admin""#)
                    #expect(!closed.text.contains("token-0123456789"))
                }
                let looks = route.method == .get || route.method == .head
                let read = try await page.admin.send(route.method, route.path, readToken, "{}", fields)
                #expect((read.status == .forbidden) == !looks, "\(route)")
                let write = try await page.admin.send(route.method, route.path, writeToken, "{}", fields)
                #expect(write.status != .forbidden && write.status != .unauthorized, "\(route)")
            }
            #expect(try await page.accounts.accounts(atLeast: .max).accounts.isEmpty)
            for path in ["/livez", "/readyz", "/openapi.json"] { HeadgateServerTests.expect(.ok, try await page.admin.send(.get, path)) }
        }
    }

    @Test("With a reader's token alone nobody changes anything")
    func readOnly() async throws {
        func set(_ configuration: inout ServerConfiguration) throws { configuration.adminReadToken = try Secret(readToken, named: "r") }
        try await withProvider(policy: nil, set) { page in
            HeadgateServerTests.expect(.ok, try await page.admin.send(.get, "/v1/accounts", readToken))
            HeadgateServerTests.expect(.forbidden, try await page.admin.send(.post, "/v1/accounts", readToken, #"{"account":"a"}"#))
            HeadgateServerTests.expect(.unauthorized, try await page.admin.send(.post, "/v1/accounts", nil, #"{"account":"a"}"#))
        }
    }

    @Test("Who tries tokens is locked out after ten from an address, right or wrong, and no other address is")
    func guessing() async throws {
        try await withProvider(policy: nil, Self.both) { page in
            func ask(_ token: String?, from address: String) async throws -> TestResponse {
                try await page.admin.send(.get, "/v1/accounts", token, nil, [(.xForwardedFor, address)])
            }
            for _ in 0..<10 { HeadgateServerTests.expect(.unauthorized, try await ask("wrong-token-0123456789", from: "192.0.2.1")) }
            for token in ["wrong-token-0123456789", writeToken, readToken, nil] {
                let locked = try await ask(token, from: "192.0.2.1")
                HeadgateServerTests.expect(.tooManyRequests, locked)
                #expect((1...60).contains(locked.headers[.retryAfter].flatMap { Int($0) } ?? 0))
            }
            for token in [writeToken, readToken] { HeadgateServerTests.expect(.ok, try await ask(token, from: "192.0.2.2")) }
        }
    }

    @Test("Calls are bounded, whoever makes them")
    func bounded() async throws {
        try await withProvider(policy: nil, Self.both) { page in
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<2_000 { group.addTask { try await page.admin.send(.get, "/v1/accounts/nobody", writeToken).status } }
                return try await group.reduce(into: [HTTPResponse.Status: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses[.notFound, default: 0] >= 200 && statuses[.tooManyRequests, default: 0] > 0)
            #expect(statuses.count == 2)
        }
    }

    @Test("Without a token pages of other sites, and names that point here, are refused; with one the name is free")
    func foreign() async throws {
        try await withProvider { page in
            let own = [
                "127.0.0.1:8081", "127.0.0.1", "localhost:8081", "localhost", "LocalHost:8081", "[::1]:8081", "[::1]", "127.9.9.9:1", "",
            ]
            let foreign = [
                "evil.example:8081", "evil.example", "127.evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example:80",
                "10.0.0.1:8081", "[::2]:8081", "[fe80::1]", ":8081", "evil.example@127.0.0.1:8081",
            ]
            for host in own { try await expect(404, page, host: host) }
            for host in foreign { try await expect(403, page, host: host) }
            try await expect(404, page, host: "localhost:8081", origin: "http://localhost:8081")
            for origin in ["http://evil.example", "null", "https://localhost:8081", "http://localhost:8082", ""] {
                try await expect(403, page, host: "localhost:8081", origin: origin)
            }
        }
        try await withProvider(policy: nil, Self.both) { page in
            try await expect(404, page, host: "headgate.internal:8081", token: writeToken)
            try await expect(401, page, host: "headgate.internal:8081")
            try await expect(403, page, host: "headgate.internal:8081", origin: "http://evil.example", token: writeToken)
        }
    }

    /// Expects the status of a request with this Host field, over a socket.
    private func expect(
        _ expected: Int,
        _ page: Page,
        host: String,
        origin: String? = nil,
        token: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let application = Application(
            router: try #require(page.limiter.adminRouter),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: page.limiter.logger
        )
        let status = try await application.test(.live) { client in
            try await TestClient.withClient(host: "127.0.0.1", port: try #require(client.port)) { client in
                var headers = HTTPFields()
                headers[.origin] = origin
                if let token { headers[.authorization] = "Bearer \(token)" }
                let request = TestClient.Request("/v1/accounts/nobody", method: .get, authority: host, headers: headers)
                return try await client.execute(request).status.code
            }
        }
        #expect(status == expected, "\(host) \(origin ?? "no origin")", sourceLocation: sourceLocation)
    }

    @Test(
        "An address that others reach needs a token",
        arguments: ["0.0.0.0:8081", "[::]:8081", "10.0.0.1:8081", "admin.example:8081", ":8081", "127.evil.example:1"]
    )
    func nonLoopback(address: String) async throws {
        func configuration(_ more: [String: String]) async throws -> ServerConfiguration {
            let environment = ["HEADGATE_POLICY": "p.yaml", "HEADGATE_ADMIN_LISTEN": address].merging(more) { $1 }
            return try ServerConfiguration(try await ConfigReader.settings(arguments: [:], environment: environment, file: nil))
        }
        let error = await #expect(throws: ConfigurationError.self) { try await configuration([:]) }
        #expect(error?.message.contains("admin_listen") == true && error?.message.contains("token") == true)
        #expect(try await configuration(["HEADGATE_ADMIN_TOKEN": writeToken]).adminToken?.text == writeToken)
        #expect(try await configuration(["HEADGATE_ADMIN_READ_TOKEN": readToken]).adminReadToken?.text == readToken)
        let short = await #expect(throws: ConfigurationError.self) { try await configuration(["HEADGATE_ADMIN_TOKEN": "short-token-123"]) }
        #expect(short?.message.contains("short-token-123") == false)
    }

    @Test("A loopback address needs none, and is the default; none listens nowhere")
    func loopback() async throws {
        func listen(_ text: String?) async throws -> ListenAddress? {
            var environment = ["HEADGATE_POLICY": "p.yaml"]
            environment["HEADGATE_ADMIN_LISTEN"] = text
            return try ServerConfiguration(try await ConfigReader.settings(arguments: [:], environment: environment, file: nil)).adminListen
        }
        #expect(try await listen(nil) == ListenAddress(host: "127.0.0.1", port: 8_081))
        #expect(try await listen("127.0.0.1:0")?.port == 0)
        #expect(try await listen("[::1]:9") != nil)
        #expect(try await listen("localhost:9") != nil)
        #expect(try await listen("none") == nil)
    }

    @Test(
        "A token in a file may change: the new one counts within a second or two, the old one no longer, and a file that is gone changes nothing"
    )
    func rotation() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("headgate-token-\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data(" \(writeToken)\n".utf8).write(to: URL(fileURLWithPath: file))
        let environment = ["HEADGATE_POLICY": "p.yaml", "HEADGATE_ADMIN_LISTEN": "0.0.0.0:1", "HEADGATE_ADMIN_TOKEN_FILE": file]
        let reader = try await ConfigReader.settings(arguments: [:], environment: environment, file: nil)
        let secret = try #require(try ServerConfiguration(reader).adminToken)
        try await withProvider(policy: nil, { $0.adminToken = secret }) { page in
            func accepts(_ token: String) async throws -> Bool { try await page.admin.send(.get, "/v1/accounts", token).status == .ok }
            #expect(try await accepts(writeToken))
            let next = "next-token-0123456789"
            try Data(next.utf8).write(to: URL(fileURLWithPath: file))
            #expect(try await eventually { secret.matches(next) })
            #expect(try await accepts(next))
            #expect(try await !accepts(writeToken))
            // A file that is being written anew, or is gone, is no token that everybody knows.
            for text in ["", "short"] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: file))
                try await Task.sleep(for: .milliseconds(1_100))
                #expect(try await accepts(next))
                #expect(!secret.matches(text) && !secret.matches(""))
            }
            try FileManager.default.removeItem(atPath: file)
            try await Task.sleep(for: .milliseconds(1_100))
            #expect(try await accepts(next))
        }
        #expect("\(secret)" == "Secret(redacted)" && String(reflecting: secret) == "Secret(redacted)")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("next-token"))
    }
}
