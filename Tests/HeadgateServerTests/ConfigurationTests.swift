import HeadgateJSON
import Configuration
import Foundation
import Logging
import Testing

@testable import HeadgateServer

@Suite("The server's configuration")
struct ConfigurationTests {
    @Test("Every setting is read from the command line, the environment and a file, in that order")
    func precedence() async throws {
        let file = try temporaryFile(
            "settings.yaml",
            """
            policy: file.yaml
            listen: 127.0.0.1:1
            redis: memory
            trust_identity_headers: true
            deadline: 1s
            drain_delay: 2s
            log_level: trace
            """
        )
        defer { remove(file) }
        let fromFile = try ServerConfiguration(try await ConfigReader.settings(arguments: [:], environment: [:], file: file))
        #expect(fromFile.policy == "file.yaml")
        #expect(fromFile.listen == ListenAddress(host: "127.0.0.1", port: 1))
        #expect(fromFile.store == .memory)
        #expect(fromFile.identityTrust == .everybody)
        #expect(fromFile.deadline == .seconds(1))
        #expect(fromFile.drainDelay == .seconds(2))
        #expect(fromFile.logLevel == .trace)

        let environment = [
            "HEADGATE_POLICY": "environment.yaml", "HEADGATE_LISTEN": "[::1]:2", "HEADGATE_REDIS": "redis://10.0.0.1:7/3",
            "HEADGATE_TRUST_IDENTITY_HEADERS": "false", "HEADGATE_DEADLINE": "20ms", "HEADGATE_DRAIN_DELAY": "0ms",
            "HEADGATE_LOG_LEVEL": "error",
        ]
        let fromEnvironment = try ServerConfiguration(try await ConfigReader.settings(arguments: [:], environment: environment, file: file))
        #expect(fromEnvironment.policy == "environment.yaml")
        #expect(fromEnvironment.listen == ListenAddress(host: "::1", port: 2))
        #expect(fromEnvironment.store == .redis(url: "redis://10.0.0.1:7/3"))
        #expect(fromEnvironment.identityTrust == .loopback)
        #expect(fromEnvironment.deadline == .milliseconds(20))
        #expect(fromEnvironment.drainDelay == .zero)
        #expect(fromEnvironment.logLevel == .error)

        let arguments = ["policy": ConfigValue(.string("argument.yaml"), isSecret: false)]
        let reader = try await ConfigReader.settings(arguments: arguments, environment: environment, file: file)
        #expect(try ServerConfiguration(reader).policy == "argument.yaml")
        #expect(try ServerConfiguration(reader).deadline == .milliseconds(20))
    }

    @Test("A file may be JSON")
    func json() async throws {
        let file = try temporaryFile("settings.json", #"{"policy":"p.yaml","redis":"embedded","trust_identity_headers":false}"#)
        defer { remove(file) }
        let configuration = try ServerConfiguration(try await ConfigReader.settings(arguments: [:], environment: [:], file: file))
        #expect(configuration.policy == "p.yaml")
        #expect(configuration.store == .embedded)
    }

    @Test(
        "What cannot work is refused with the key's name",
        arguments: [
            ([:], "no policy is given"),
            (["HEADGATE_LISTEN": "8080"], "HOST:PORT"),
            (["HEADGATE_LISTEN": "::1:8080"], "in brackets"),
            (["HEADGATE_LISTEN": "a:70000"], "HOST:PORT"),
            (["HEADGATE_REDIS": "http://x"], "expected redis://, rediss://, unix://"),
            (["HEADGATE_TRUST_IDENTITY_HEADERS": "maybe"], "trust_identity_headers is 'maybe'; expected true or false"),
            (["HEADGATE_DEADLINE": "50"], "deadline is '50'; expected a time"),
            (["HEADGATE_DEADLINE": "0ms"], "deadline is '0ms'; expected a time"),
            (["HEADGATE_LOG_LEVEL": "loud"], "log_level is 'loud'; expected one of trace"),
        ]
    )
    func errors(environment: [String: String], message: String) async throws {
        let environment = environment.isEmpty ? [:] : environment.merging(["HEADGATE_POLICY": "p"]) { $1 }
        let reader = try await ConfigReader.settings(arguments: [:], environment: environment, file: nil)
        let error = #expect(throws: ConfigurationError.self) { try ServerConfiguration(reader) }
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    }

    @Test("A password in a wrong URL is not repeated")
    func secret() {
        let error = #expect(throws: ConfigurationError.self) { try StoreChoice("redes://user:hunter2@host") }
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test("A file that is missing or no YAML is refused", arguments: [nil, "a: [", "a: b: c"])
    func badFile(text: String?) async throws {
        let file = try text.map { try temporaryFile("bad.yaml", $0) } ?? "/nonexistent/settings.yaml"
        defer { remove(file) }
        let error = await #expect(throws: ConfigurationError.self) {
            try await ConfigReader.settings(arguments: [:], environment: [:], file: file)
        }
        #expect(error?.message.contains(file) == true)
    }

    @Test(
        "Loopback addresses are told from others",
        arguments: [
            ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("localhost:1", true), ("[::1]:1", true), ("0.0.0.0:1", false), (":1", false),
            ("[::]:1", false), ("10.0.0.1:1", false), ("127.evil.example:1", false),
        ]
    )
    func loopback(text: String, expected: Bool) throws {
        #expect(try ListenAddress(text).isLoopback == expected)
    }

    private func remove(_ file: String) {
        guard file.contains("headgate-test-") else { return }
        try? FileManager.default.removeItem(at: URL(fileURLWithPath: file).deletingLastPathComponent())
    }

    private func temporaryFile(_ name: String, _ text: String) throws -> String {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("headgate-test-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        let file = directory.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}
