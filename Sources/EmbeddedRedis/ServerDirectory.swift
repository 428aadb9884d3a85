internal import Foundation

/// Where a private server keeps its socket.
enum ServerDirectory {
    /// The longest path of a unix socket that every platform takes, without the final NUL.
    private static let longestSocketPath = 103

    /// Creates a directory that only this user can enter.
    ///
    /// - Returns: Its path.
    static func create() throws(RedisServerError) -> String {
        let name = "headgate-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let preferred = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        let path = socketPath(in: preferred).utf8.count <= longestSocketPath ? preferred : "/tmp/\(name)"
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw RedisServerError(.failed, "no temporary directory for redis-server: \(error.localizedDescription)")
        }
        return path
    }

    /// The server's socket.
    static func socketPath(in directory: String) -> String { "\(directory)/redis.sock" }

    /// Writes the marker that makes the guard leave the directory alone.
    static func keep(_ directory: String) {
        _ = FileManager.default.createFile(atPath: "\(directory)/\(GuardedChild.keepMarker)", contents: nil)
    }

    /// Takes the marker away.
    static func unkeep(_ directory: String) {
        try? FileManager.default.removeItem(atPath: "\(directory)/\(GuardedChild.keepMarker)")
    }

    /// The redis-server in the search path.
    static func findExecutable() throws(RedisServerError) -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        for candidate in directories.map({ "\($0)/redis-server" }) where FileManager.default.isExecutableFile(atPath: candidate) {
            return candidate
        }
        throw RedisServerError(
            .notInstalled,
            "redis-server is not installed; on Debian: apt-get install redis-server, on macOS: brew install redis"
        )
    }
}
