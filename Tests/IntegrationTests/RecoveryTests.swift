import EmbeddedRedis
import Foundation
import HTTPTypes
import HummingbirdTesting
import Synchronization
import TestSupport
import Testing

@Suite("A Redis that is killed under load", .serialized, .exclusive)
struct RecoveryTests {
    /// One answer: when it was asked for, how long it took, and whether Redis had a part in it.
    struct Answer: Sendable {
        var at: Duration
        var took: Duration
        /// By how much a short sleep after it was longer than asked for: what the machine itself adds.
        var overslept: Duration
        var status: Int
        var isDegraded: Bool
    }

    @Test("is answered for within the deadline throughout, and is used again by itself")
    func killAndRestart() async throws {
        let redis = try await RedisServer.start()
        let server = try await TestServer.start(redis: redis.url)
        let begin = ContinuousClock.now
        let answers = try await withThrowingTaskGroup(of: [Answer].self) { group in
            for client in 0..<8 {
                group.addTask {
                    try await server.connect { connection in
                        var answers: [Answer] = []
                        while begin.duration(to: .now) < .seconds(7) {
                            let asked = ContinuousClock.now
                            let answer = try await connection.authorize("GET", "/v2/x", account: "a\(client)", tier: "enterprise")
                            let took = asked.duration(to: .now)
                            let rested = ContinuousClock.now
                            try await Task.sleep(for: .milliseconds(5))
                            answers.append(
                                Answer(
                                    at: begin.duration(to: asked),
                                    took: took,
                                    overslept: rested.duration(to: .now) - .milliseconds(5),
                                    status: answer.status.code,
                                    isDegraded: answer.headers[.degraded] != nil
                                )
                            )
                        }
                        return answers
                    }
                }
            }
            try await Task.sleep(for: .seconds(1))
            redis.kill()
            try await Task.sleep(for: .seconds(3))
            try await redis.restart()
            try await TestServer.leastPrivileged(redis.url)  // Users that no file holds end with the process.
            return try await group.reduce(into: []) { $0 += $1 }
        }
        await redis.stop()
        // The policy is `open`, and nothing is over its limit.
        #expect(answers.allSatisfy { $0.status == 200 })
        #expect(answers.contains { $0.isDegraded })
        // The deadline is 50 ms; the slack is that of reliability's words, and what the machine added to sleeps meanwhile.
        let times = answers.map(\.took).sorted()
        let noise = answers.map(\.overslept).sorted()
        #expect(times[times.count * 99 / 100] < .milliseconds(100) + noise[noise.count * 99 / 100])
        #expect(times[times.count - 1] < .milliseconds(300) + noise[noise.count - 1])
        // Redis was there again about 4 s after the beginning; 2 s later every answer is Redis' own.
        let late = answers.filter { $0.at > .milliseconds(6_200) }
        #expect(!late.isEmpty && late.allSatisfy { !$0.isDegraded })
    }
}
