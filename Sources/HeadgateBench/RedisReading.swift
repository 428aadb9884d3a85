import Headgate
import HeadgateRedis

/// What a Redis server says that it has done so far.
struct RedisReading: Sendable, Equatable {
    /// Seconds of CPU, in user mode and in the kernel.
    var cpuSeconds = 0.0
    /// Calls of scripts.
    var scriptCalls: Int64 = 0

    /// Reads the sections `cpu` and `commandstats` of an answer to INFO.
    init(info: String) {
        for line in info.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "used_cpu_user", "used_cpu_sys":
                cpuSeconds += Double(parts[1]) ?? 0
            case "cmdstat_evalsha":
                let calls = parts[1].split(separator: ",").first { $0.hasPrefix("calls=") }
                scriptCalls = calls.flatMap { Int64($0.dropFirst("calls=".count)) } ?? 0
            default:
                break
            }
        }
    }

    /// Asks a server.
    ///
    /// - Throws: ``LimiterError``.
    init(of store: RedisStore) async throws(LimiterError) {
        var info = ""
        for section in ["cpu", "commandstats"] {
            guard let text = try await store.command(["INFO", section]).text else {
                throw LimiterError(.permission, "Redis does not answer INFO \(section), which its CPU time is read from")
            }
            info += text
        }
        self.init(info: info)
    }
}
