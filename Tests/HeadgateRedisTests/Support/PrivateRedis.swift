import Foundation
import HeadgateRedis
import Synchronization

/// A redis-server of one test's own, on a Unix socket in a directory of its own; it ends with the test.
///
/// Unlike an embedded one its address is known before it is started, as tests of a Redis that is not there yet need it.
final class PrivateRedis: Sendable {
    let directory: String
    private let options: [String]
    private let process = Mutex<Process?>(nil)

    var socket: String { directory + "/s" }

    /// The user that `headgate redis-acl --for limiter` makes: stores of tests have no other rights.
    static let leastPrivileged = RedisCredentials(user: "limiter", password: "least-privileged")

    init(_ options: [String] = []) throws {
        directory = FileManager.default.temporaryDirectory.path + "/hg-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.options = options
    }

    /// Starts the server and waits until it answers.
    func start() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.arguments =
            ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--enable-debug-command", "yes"]
            + ["--user", "limiter", "on", ">least-privileged"] + (try RedisAccess().rules) + options
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
        for _ in 0..<500 {
            if (try? cli("PING"))?.isEmpty == false { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(text: "redis-server did not start")
    }

    /// Runs one command by redis-cli.
    @discardableResult
    func cli(_ arguments: String...) throws -> String { try cli(arguments) }

    /// Runs one command by redis-cli.
    @discardableResult
    func cli(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
        process.arguments = ["-s", socket] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(text: "redis-cli failed") }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The number that a field of INFO has.
    func info(_ section: String, _ field: String) throws -> Int {
        let line = try cli("INFO", section).split(whereSeparator: \.isNewline).first { $0.hasPrefix(field + ":") }
        return Int(line?.dropFirst(field.count + 1) ?? "") ?? -1
    }

    /// Sends a signal to the server.
    func signal(_ number: Int32) {
        guard let identifier = process.withLock({ $0?.processIdentifier }) else { return }
        kill(identifier, number)
    }

    /// Kills the server and waits until it is gone.
    func kill9() {
        signal(SIGCONT)
        signal(SIGKILL)
        process.withLock { process in
            process?.waitUntilExit()
            process = nil
        }
    }

    deinit {
        kill9()
        try? FileManager.default.removeItem(atPath: directory)
    }

    struct Failure: Error {
        let text: String
    }
}

/// Runs a body beside a server that has been started.
func withRedis<Result>(
    _ options: [String] = [],
    _ body: (PrivateRedis) async throws -> Result
) async throws -> Result {
    let redis = try PrivateRedis(options)
    defer { redis.kill9() }
    try await redis.start()
    return try await body(redis)
}
