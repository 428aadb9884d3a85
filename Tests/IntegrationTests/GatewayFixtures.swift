import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// An API that the examples put behind their gateways, as a process of its own.
struct UpstreamProcess {
    let executable: Executable
    let url: String

    static func start() async throws -> UpstreamProcess {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../examples/walkthrough/upstream.py").standardizedFileURL.path
        let executable = try Executable("/usr/bin/env", ["python3", script])
        let line = try await executable.line(containing: "listening on ")
        return UpstreamProcess(executable: executable, url: "http://\(line.dropFirst("listening on ".count))")
    }
}

/// A policy file that lasts as long as the value.
final class TemporaryPolicy: Sendable {
    let path: String

    init(_ yaml: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("headgate-\(UUID().uuidString).yaml").path
        try yaml.write(toFile: path, atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A `headgate serve --upstream` process.
struct GatewayProcess {
    let executable: Executable
    let url: String

    static func start(_ policy: TemporaryPolicy, redis: String, upstream: String, _ more: String...) async throws -> GatewayProcess {
        let executable = try Executable(
            "headgate",
            [
                "serve", "--policy", policy.path, "--redis", redis, "--upstream", upstream, "--listen", "127.0.0.1:0", "--admin-listen",
                "none",
                "--deadline", "5s", "--log-level", "error",
            ] + more
        )
        let line = try await executable.line(containing: "listening on http://")
        guard let address = line.split(separator: " ").last else { throw Unexpected(what: "no address in '\(line)'") }
        return GatewayProcess(executable: executable, url: String(address))
    }

    /// Sends a request and reads the whole answer.
    func send(_ method: String = "GET", _ path: String, key: String, _ fields: [(String, String)] = []) async throws -> GatewayAnswer {
        var request = HTTPClientRequest(url: url + path)
        request.method = .RAW(value: method)
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        for (name, value) in fields { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 20)
        return GatewayAnswer(status: Int(response.status.code), fields: response.headers, body: String(buffer: body))
    }
}

/// A whole answer.
struct GatewayAnswer {
    let status: Int
    let fields: HTTPHeaders
    let body: String

    var remaining: Int? { fields.first(name: "x-ratelimit-remaining").flatMap { Int($0) } }
}

/// Runs the command line against a Redis, and returns what it prints.
@discardableResult
func headgate(_ redis: String, _ arguments: String...) async throws -> String {
    let executable = try Executable("headgate", arguments + ["--redis", redis])
    guard try await executable.end() == 0 else { throw Unexpected(what: executable.printed.joined(separator: "\n")) }
    return executable.printed.joined(separator: "\n")
}

/// Makes an account with a key, and returns the key.
func makeKey(_ redis: String, account: String, tier: String, permissions: String...) async throws -> String {
    _ = try? await headgate(redis, "accounts", "create", account, "--tier", tier)
    let executable = try Executable(
        "headgate",
        ["keys", "create", "--account", account, "--redis", redis] + permissions.flatMap { ["--permission", $0] }
    )
    guard try await executable.end() == 0, let key = executable.printed.first(where: { $0.hasPrefix("hgk_") }) else {
        throw Unexpected(what: executable.printed.joined(separator: "\n"))
    }
    return key
}
