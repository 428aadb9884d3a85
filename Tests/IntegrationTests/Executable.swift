import Foundation
import Synchronization

/// A program of this package, run as a process of its own, and ended with the test.
final class Executable: Sendable {
    private let process: Process
    private let transcript = Transcript()
    private let output: Pipe

    /// Where the package's programs are built: beside the tests.
    static var directory: URL {
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
        return (bundle ?? URL(fileURLWithPath: CommandLine.arguments[0])).deletingLastPathComponent()
    }

    /// Starts a program with an environment that has nothing of ours in it but what is given.
    init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process = Process()
        output = Pipe()
        process.executableURL = name.contains("/") ? URL(fileURLWithPath: name) : Self.directory.appendingPathComponent(name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("HEADGATE_") }
            .merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = output
        try process.run()
        Thread.detachNewThread { [transcript, output] in
            var rest = Data()
            while true {
                let chunk = output.fileHandleForReading.availableData
                guard !chunk.isEmpty else { return }
                rest.append(chunk)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
                    transcript.add(line)
                    rest = Data(rest[(end + 1)...])
                }
            }
        }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var processIdentifier: Int32 { process.processIdentifier }

    /// What it has printed so far.
    var printed: [String] { transcript.all }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits until a line is printed that has a part; returns the line.
    func line(containing part: String, within time: Duration = .seconds(20)) async throws -> String {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            if let line = printed.first(where: { $0.contains(part) }) { return line }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        if let line = printed.first(where: { $0.contains(part) }) { return line }
        throw Unexpected(what: "no line with '\(part)' in: \(printed.joined(separator: "\n"))")
    }

    /// Waits for its end; returns its status.
    @discardableResult
    func end(within time: Duration = .seconds(60)) async throws -> Int32 {
        let end = ContinuousClock.now + time
        while process.isRunning {
            guard ContinuousClock.now < end else { throw Unexpected(what: "it did not end: \(printed.joined(separator: "\n"))") }
            try await Task.sleep(for: .milliseconds(10))
        }
        // What the pipe still holds is read within a moment.
        try await Task.sleep(for: .milliseconds(50))
        return process.terminationStatus
    }
}

/// Something that a test could not go on from.
struct Unexpected: Error, CustomStringConvertible {
    var what: String
    var description: String { what }
}

/// Runs a program to its end.
func run(_ name: String, _ arguments: String..., environment: [String: String] = [:]) async throws -> (status: Int32, output: String) {
    let executable = try Executable(name, arguments, environment: environment)
    let status = try await executable.end()
    return (status, executable.printed.joined(separator: "\n"))
}

/// The lines that a program has printed.
private final class Transcript: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
