import EmbeddedRedis
import Headgate
import TestSupport
import Testing

@testable import HeadgateRedis

/// What a count costs in Redis: bounded whatever the limit and its traffic.
@Suite("Memory in Redis", .serialized, .exclusive)
struct MemoryTests {
    /// Charges a log at given times; returns the bytes that its key takes.
    static func bytes(_ algorithm: Algorithm, times: [Int64], count: Int64) async throws -> Int64 {
        let server = try await RedisServer.start()
        defer { server.kill() }
        var connection = try RawConnection(path: String(server.url.dropFirst("unix://".count)))
        _ = try connection.command("SCRIPT", "LOAD", TestScript.source)
        let keys = try KeySpace(prefix: "hg")
        let script = try TestScript.make()
        let limit = try Limit("limit", algorithm)
        let identity = try Identity(.account, "acme")
        for (index, now) in times.enumerated() {
            let decision = StoreDecision(charges: [Charge(limit, identity: identity)], count: count)
            let call = try ScriptCall.decide([decision], ScriptContext(script: script, keys: keys, nonce: Int64(index)))
            let reply = try connection.exchange([TestScript.frame(call.frame, at: now)])[0]
            guard case .integers = reply else { throw RawConnection.Failure(what: "\(reply)") }
        }
        return try connection.command("MEMORY", "USAGE", keys.key(identity, limit), "SAMPLES", "0").integer ?? .max
    }

    static let start: Int64 = 1_763_782_569_123_456

    @Test("A thousand entries of a log take less than 16 KB")
    func thousandEntries() async throws {
        let times = (0..<1_000).map { Self.start + Int64($0) * 3_599_999 }
        let bytes = try await Self.bytes(.slidingWindowLog(1_000, per: .seconds(3_600)), times: times, count: 1)
        #expect(bytes < 16 * 1_024)
        #expect(bytes > 10_000)
    }

    @Test("A limit of a million an hour takes less than 32 KB, whatever its traffic", arguments: [1, 999, 100_000] as [Int64])
    func millionAnHour(atOnce: Int64) async throws {
        // Traffic in every slot of two hours, and in most slots twice.
        let times = (0..<4_000).map { Self.start + Int64($0) * 1_800_001 }
        let bytes = try await Self.bytes(.slidingWindowLog(1_000_000, per: .seconds(3_600)), times: times, count: atOnce)
        #expect(bytes < 32 * 1_024)
        #expect(bytes > 200)
    }
}
