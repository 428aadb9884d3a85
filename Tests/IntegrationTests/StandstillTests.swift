import Foundation
import TestSupport
import Testing

@Suite("A body goes through the gateway as fast as its reader reads", .serialized, .exclusive)
struct StandstillTests {
    private static let policy = """
        name: standstill
        classes: { all: ["* /**"] }
        tiers: { plan: { limits: { all: 1000/hour } } }
        """

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Hostile/standstill.py").standardizedFileURL.path

    @Test("A reader that reads nothing brings the writer to a standstill, in both directions, and the gateway stays small")
    func standstill() async throws {
        try await withTestRedis { redis in
            let upstream = try Executable("/usr/bin/env", ["python3", Self.script, "upstream"])
            let address = try await upstream.line(containing: "listening on ").dropFirst("listening on ".count)
            let gateway = try await GatewayProcess.start(try TemporaryPolicy(Self.policy), redis: redis, upstream: "http://\(address)")
            let key = try await makeKey(redis, account: freshAccount(), tier: "plan")
            let port = String(gateway.url.split(separator: ":").last ?? "")
            func resident() throws -> Int {
                let text = try String(contentsOfFile: "/proc/\(gateway.executable.processIdentifier)/statm", encoding: .utf8)
                return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
            }
            let before = try resident()
            let client = try Executable("/usr/bin/env", ["python3", Self.script, "client", port, key])
            let down = try mebibytes(try await upstream.line(containing: "poured "))
            let upload = try Executable("/usr/bin/env", ["python3", Self.script, "upload", port, key])
            let up = try mebibytes(try await upload.line(containing: "poured "))
            // What the kernel's and the gateway's buffers take, of two gibibytes.
            #expect(down < 32 && up < 32, "\(down) MiB down, \(up) MiB up")
            #expect(try resident() - before < 32 << 20)
            client.signal(SIGKILL)
            upload.signal(SIGKILL)
            upstream.signal(SIGKILL)
        }
    }

    private func mebibytes(_ line: String) throws -> Int {
        guard let number = line.split(separator: " ").last.flatMap({ Int($0) }) else { throw Unexpected(what: line) }
        return number
    }
}
