import Foundation
import Headgate
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@testable import HeadgateRedis

/// Faults of a real Redis process.
@Suite("A Redis in trouble", .serialized, .exclusive)
struct FaultTests {
    /// The deadline, and what a busy machine may add to it.
    private static let deadline = Duration.milliseconds(50)
    private static let slack = Duration.milliseconds(250)

    /// Decides in a loop, from several tasks, until the body has ended.
    private func load(
        _ store: RedisStore,
        tasks: Int = 8,
        _ body: @Sendable () async throws -> Void
    ) async throws -> (tally: Tally, longest: Duration) {
        let run = LoadRun()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask { try await run.decide(on: store, try Charge.counted("task\(task)")) }
            }
            try await body()
            run.end()
            try await group.waitForAll()
        }
        return (run.tally, run.longest)
    }

    /// All units that the load's tasks took.
    private func used(_ store: RedisStore, tasks: Int = 8) async throws -> Int {
        var sum: Int64 = 0
        for task in 0..<tasks { sum += try await store.used(try Charge.counted("task\(task)")) }
        return Int(sum)
    }

    @Test("SCRIPT FLUSH 50 times under load: no error, exact counts, at most one load a connection and flush")
    func scriptFlush() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                let (tally, _) = try await load(store) {
                    for _ in 0..<50 {
                        try redis.cli("SCRIPT", "FLUSH")
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                #expect(tally.all.keys.sorted() == ["granted"])
                #expect(try await used(store) == tally["granted"])
                let loads = try redis.cli("INFO", "commandstats").split(whereSeparator: \.isNewline)
                    .first { $0.contains("cmdstat_script|load") }
                    .flatMap { $0.split(separator: ",").first?.split(separator: "=").last }
                    .flatMap { Int($0) }
                #expect((20...2 + 50 * 2).contains(try #require(loads)))
                #expect(try await eventually { store.load.decisions == 0 })
            }
        }
    }

    @Test("kill -9 and restart under load: each answer within its deadline, and it recovers by itself")
    func killAndRestart() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket, deadline: Self.deadline)) { store in
                let (tally, longest) = try await load(store) {
                    try await Task.sleep(for: .milliseconds(200))
                    redis.kill9()
                    try await Task.sleep(for: .milliseconds(700))
                    try await redis.start()
                    let restart = ContinuousClock.now
                    #expect(try await eventually { (try? await store.probe()) != nil })
                    #expect(ContinuousClock.now - restart < .seconds(2))
                    try await Task.sleep(for: .milliseconds(200))
                }
                #expect(longest < Self.deadline + Self.slack)
                #expect(tally["granted"] > 100)
                #expect(tally["connect"] > 10)
                #expect(Set(tally.all.keys).isSubset(of: ["granted", "connect", "deadlineExceeded", "unknown"]))
                #expect(try await eventually { store.load.decisions == 0 })
            }
        }
    }

    @Test("A stopped process: each answer within its deadline, and it recovers by itself")
    func stopped() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket, deadline: Self.deadline)) { store in
                let (tally, longest) = try await load(store) {
                    try await Task.sleep(for: .milliseconds(100))
                    redis.signal(SIGSTOP)
                    try await Task.sleep(for: .milliseconds(2_500))
                    redis.signal(SIGCONT)
                    #expect(try await eventually(within: .seconds(2)) { (try? await store.probe()) != nil })
                }
                #expect(longest < Self.deadline + Self.slack)
                #expect(tally["deadlineExceeded"] > 8)
                #expect(try await eventually { store.load.decisions == 0 })
                #expect(try redis.info("clients", "connected_clients") <= 3)
            }
        }
    }

    @Test("A Redis that is not there at the start ends nothing, and is found when it comes")
    func absentAtStart() async throws {
        let redis = try PrivateRedis()
        try await withStore(configuration(redis.socket, deadline: Self.deadline)) { store in
            let charge = try Charge.counted("acme")
            for _ in 0..<20 {
                let start = ContinuousClock.now
                await #expect { try await store.take(charge) } throws: { error in
                    let error = error as? LimiterError
                    return error?.code == .connect && error?.charge == .notCharged
                }
                #expect(ContinuousClock.now - start < Self.deadline + Self.slack)
            }
            try await redis.start()
            #expect(try await eventually(within: .seconds(2)) { (try? await store.take(charge).granted) == 1 })
        }
    }

    @Test("A server that closes idle connections is not noticed by callers")
    func closesIdle() async throws {
        try await withRedis { redis in
            var configuration = configuration(redis.socket, deadline: .milliseconds(250))
            configuration.backoff = .init(base: .milliseconds(10), cap: .milliseconds(50))
            try await withStore(configuration) { store in
                let charge = try Charge.counted("acme")
                for round in 1...10 {
                    #expect(try await store.take(charge).granted == 1)
                    // Longer than the cap: the connection counts as a good one.
                    try await Task.sleep(for: .milliseconds(60))
                    try redis.cli("CLIENT", "KILL", "TYPE", "normal")
                    #expect(try await store.used(charge) == round)
                }
            }
        }
    }

    @Test("A wrong password is said, not shown, and found right when it is changed")
    func wrongPassword() async throws {
        try await withRedis(["--requirepass", "right"]) { redis in
            let password = Changeable("wr0ng-s3cret")
            var configuration = configuration(redis.socket, deadline: Self.deadline)
            configuration.backoff = .init(base: .milliseconds(10), cap: .milliseconds(200))
            configuration.credentials = RedisCredentials { (user: nil, password: password.value) }
            try await withStore(configuration) { store in
                var seen = 0
                for _ in 0..<100 {
                    do throws(LimiterError) { try await store.probe() } catch {
                        #expect(error.code == .authentication || error.code == .deadlineExceeded)
                        #expect(error.charge == .notCharged)
                        #expect(!"\(error) \(String(reflecting: error))".contains("s3cret"))
                        seen += error.code == .authentication ? 1 : 0
                    }
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(seen > 50)
                password.value = "right"
                #expect(try await eventually { (try? await store.probe()) != nil })
                // At most one attempt in 200 ms, from one connection; both come up in the end.
                let attempts = try await store.command(["INFO", "stats"]).text?.split(whereSeparator: \.isNewline)
                    .first { $0.hasPrefix("total_connections_received:") }?.split(separator: ":").last.flatMap { Int($0) }
                #expect(try #require(attempts) < 20)
            }
        }
    }

    @Test("A replica is left at once, and nothing is counted twice")
    func readOnly() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket, deadline: Self.deadline)) { store in
                let charge = try Charge.counted("acme")
                #expect(try await eventually { (try? await store.take(charge).granted) == 1 })
                let before = try await store.used(charge)
                try redis.cli("REPLICAOF", "127.0.0.1", "1")
                for _ in 0..<20 {
                    await #expect { try await store.take(charge) } throws: { error in
                        let error = error as? LimiterError
                        return [.readOnly, .masterDown, .deadlineExceeded].contains(error?.code) && error?.charge == .notCharged
                    }
                }
                try redis.cli("REPLICAOF", "NO", "ONE")
                #expect(try await eventually(within: .seconds(2)) { (try? await store.used(charge)) == before })
            }
        }
    }

    @Test(
        "A server that refuses writes says why, and nothing is charged",
        arguments: [
            (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], LimiterError.Code.outOfMemory),
            (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"], .noReplicas),
            (["ACL", "SETUSER", "limiter", "-evalsha"], ["ACL", "SETUSER", "limiter", "+evalsha"], .permission),
            (["ACL", "SETUSER", "limiter", "-mget"], ["ACL", "SETUSER", "limiter", "+mget"], .permission),
            (["ACL", "SETUSER", "limiter", "-time"], ["ACL", "SETUSER", "limiter", "+time"], .permission),
            (["ACL", "SETUSER", "limiter", "resetkeys", "~other"], ["ACL", "SETUSER", "limiter", "resetkeys", "~hg:*"], .permission),
        ]
    )
    func refuses(_ spoil: [String], _ mend: [String], _ code: LimiterError.Code) async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                let charge = try Charge.counted("acme")
                #expect(try await store.take(charge).granted == 1)
                try redis.cli(spoil)
                await #expect { try await store.probe() } throws: { ($0 as? LimiterError)?.code == code }
                await #expect { try await store.take(charge) } throws: { ($0 as? LimiterError)?.code == code }
                try redis.cli(mend)
                #expect(try await store.used(charge) == 1)
            }
        }
    }

    @Test("A server that hangs up on everybody sees few dials, from however many connections")
    func dialStorm() async throws {
        let fake = try await FakeRedis { _ in [.close] }
        try await withStore(configuration(fake.socket, deadline: Self.deadline, connections: 10)) { store in
            let (tally, longest) = try await load(store) { try await Task.sleep(for: .seconds(1)) }
            #expect(longest < Self.deadline + Self.slack)
            #expect(tally["granted"] == 0 && tally["unknown"] == 0)
        }
        #expect((2...15).contains(fake.connections), "\(fake.connections)")
        await fake.stop()
    }
}
