import EmbeddedRedis
import Foundation

/// What redis-cli prints.
func cli(_ server: RedisServer, _ arguments: String...) throws -> String {
    let address: [String]
    if server.url.hasPrefix("unix://") {
        address = ["-s", String(server.url.dropFirst("unix://".count))]
    } else {
        address = ["-u", server.url]
    }
    return try output(of: "redis-cli", address + arguments)
}

/// What a command prints, without the last line's end.
func output(of command: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [command] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
}

/// The letter that ps(1) gives a process' state by; `nil` when there is no such process.
func processState(_ pid: Int32) -> String? {
    guard let text = try? output(of: "ps", ["-o", "stat=", "-p", "\(pid)"]), let first = text.first else { return nil }
    return String(first)
}

/// Whether a process exists and is no zombie.
func isRunning(_ pid: Int32) -> Bool {
    guard let state = processState(pid) else { return false }
    return state != "Z"
}

/// Whether something another process does becomes true within ten seconds.
func eventually(_ condition: () throws -> Bool) async throws -> Bool {
    for _ in 0..<1_000 {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
