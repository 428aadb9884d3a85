import Headgate
import Testing

@testable import HeadgateRedis

@Suite("Denials of stores on a real Redis", .serialized)
struct DenialTests {
    private static func calls(_ redis: PrivateRedis) throws -> Int {
        let line = try redis.cli("INFO", "commandstats").split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_evalsha:") }
        let count = line?.split(separator: "=").dropFirst().first?.split(separator: ",").first
        return count.flatMap { Int($0) } ?? 0
    }

    @Test("A saturated subject costs no calls, and a reset on another instance ends that within a second")
    func saturated() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket, rememberedDenials: 1_000)) { here in
                try await withStore(configuration(redis.socket, rememberedDenials: 1_000)) { there in
                    let charge = try Charge.counted("acme", limit: 3)
                    for _ in 0..<3 { #expect(try await here.take(charge).granted == 1) }
                    #expect(try await here.take(charge).granted == 0)
                    // Once the other instances were heard of, nothing more is asked.
                    try await Task.sleep(for: .milliseconds(500))
                    let before = try Self.calls(redis)
                    for _ in 0..<2_000 { #expect(try await here.take(charge).granted == 0) }
                    #expect(try Self.calls(redis) - before < 40)
                    try await there.reset(charge.identity, [charge.limit])
                    #expect(try await eventually(within: .seconds(2)) { try await here.take(charge).granted == 1 })
                }
            }
        }
    }

    @Test("A refund on another instance ends a denial; one here at once")
    func refunded() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket, rememberedDenials: 1_000)) { here in
                try await withStore(configuration(redis.socket, rememberedDenials: 1_000)) { there in
                    let charge = try Charge.counted("acme", limit: 1)
                    let stamp = try await there.take(charge).readings[0].stamp
                    #expect(try await here.take(charge).granted == 0)
                    let receipt = Receipt(limit: charge.limit, identity: charge.identity, units: 1, stamp: stamp)
                    #expect(try await there.refund([receipt]) == [1])
                    #expect(try await eventually(within: .seconds(2)) { try await here.take(charge).granted == 1 })
                    #expect(try await here.take(charge).granted == 0)
                    try await here.reset(charge.identity, [charge.limit])
                    #expect(try await here.take(charge).granted == 1)
                }
            }
        }
    }
}
