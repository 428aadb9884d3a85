import Foundation
import TestSupport
import Testing

@Suite("Usage is counted in each instance and kept in Redis", .serialized, .exclusive)
struct UsageTests {
    private static let policy = """
        name: usage
        classes: { all: ["* /**"] }
        tiers: { plan: { limits: { all: 200/hour } } }
        """

    private func counted(_ redis: String, _ account: String, _ outcome: String) async throws -> Int {
        let day = try await redisCLI(redis, "--scan", "--pattern", "hg:{a:\(account)}:usage-day-*").split(separator: "\n")
        var sum = 0
        for key in day { sum += Int(try await redisCLI(redis, "HGET", String(key), "\(outcome) all")) ?? 0 }
        return sum
    }

    @Test("SIGTERM loses no count; kill -9 loses a second's at most; no decision waits for a count")
    func endings() async throws {
        try await withTestRedis { redis in
            let policy = try TemporaryPolicy(Self.policy)
            let upstream = try await UpstreamProcess.start()
            let gateways = [
                try await GatewayProcess.start(policy, redis: redis, upstream: upstream.url),
                try await GatewayProcess.start(policy, redis: redis, upstream: upstream.url),
            ]
            let account = freshAccount()
            let key = try await makeKey(redis, account: account, tier: "plan")
            var statuses: [Int: Int] = [:]
            for index in 0..<230 { statuses[try await gateways[index % 2].send("GET", "/x", key: key).status, default: 0] += 1 }
            #expect(statuses == [200: 200, 429: 30])
            for gateway in gateways { gateway.executable.signal(SIGTERM) }
            for gateway in gateways { #expect(try await gateway.executable.end(within: .seconds(12)) == 0) }
            #expect(try await counted(redis, account, "allowed") == 200)
            #expect(try await redisCLI(redis, "--scan", "--pattern", "hg:{a:\(account)}:usage-day-*").contains("usage-day-"))
            let denied = try await redisCLI(redis, "--scan", "--pattern", "hg:{a:\(account)}:usage-day-*")
            #expect(try await redisCLI(redis, "HGET", denied, "denied all by all") == "30")

            let third = try await GatewayProcess.start(policy, redis: redis, upstream: upstream.url)
            let other = freshAccount()
            let otherKey = try await makeKey(redis, account: other, tier: "plan")
            var sent: [ContinuousClock.Instant] = []
            for _ in 0..<150 {
                _ = try await third.send("GET", "/x", key: otherKey)
                sent.append(.now)
                try await Task.sleep(for: .milliseconds(15))
            }
            third.executable.signal(SIGKILL)
            let lastSecond = sent.count { $0.duration(to: .now) <= .seconds(1) }
            #expect(try await counted(redis, other, "allowed") >= 150 - lastSecond)
        }
    }
}
