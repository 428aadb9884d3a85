import Headgate
import Logging
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@testable import HeadgateRedis

/// Callers that give up, come too many, come too early or too late.
@Suite("Callers of a store", .serialized, .exclusive)
struct CallerTests {
    @Test("1,000 tasks cancelled at random instants leak nothing and disturb nobody")
    func cancellation() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                try await store.probe()
                let run = LoadRun()
                let outcomes = Tally()
                var rounds = 0
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<4 { group.addTask { try await run.decide(on: store, try Charge.counted("neighbour\(task)")) } }
                    // Chance decides when callers give up: until some did so before their answer and some had it.
                    repeat {
                        rounds += 1
                        try await cancelled(1_000, outcomes) {
                            try await store.take(try Charge.counted("cancelled"))
                        }
                    } while rounds < 10 && (outcomes["granted"] <= 10 || outcomes["unknown"] + outcomes["notCharged"] <= 10)
                    run.end()
                    try await group.waitForAll()
                }
                #expect(run.tally.all.keys.sorted() == ["granted"])
                var used: Int64 = 0
                for task in 0..<4 { used += try await store.used(try Charge.counted("neighbour\(task)")) }
                #expect(Int(used) == run.tally["granted"])

                let charged = Int(try await store.used(try Charge.counted("cancelled")))
                #expect(outcomes["granted"] + outcomes["notCharged"] + outcomes["unknown"] == rounds * 1_000)
                #expect((outcomes["granted"]...outcomes["granted"] + outcomes["unknown"]).contains(charged))
                #expect(outcomes["unknown"] + outcomes["notCharged"] > 10 && outcomes["granted"] > 10, "\(outcomes.all)")
                #expect(try await eventually { store.load.decisions == 0 && store.load.bytes == 0 })
                #expect(try redis.info("stats", "total_connections_received") <= 2 + 10)
            }
        }
    }

    @Test("A lease of a cancelled caller does not stay until its time to live")
    func cancelledLeases() async throws {
        try await withRedis { redis in
            try await withStore(configuration(redis.socket)) { store in
                try await store.probe()
                let charge = try Charge.slot("acme")
                let outcomes = Tally()
                let held = Changeable<[Lease]>([])
                // Chance decides when callers give up: until some did so while their answer was on its way.
                for _ in 0..<50 where outcomes["unknown"] < 5 {
                    try await cancelled(100, outcomes) {
                        let lease = Lease(id: Lease.makeID(), slots: [.init(identity: charge.identity, limit: charge.limit)])
                        let verdict = try await store.take(charge, leaseID: lease.id)
                        held.change { $0.append(lease) }
                        return verdict
                    }
                }
                #expect(outcomes["unknown"] > 0, "\(outcomes.all)")
                for lease in held.value { store.abandon(lease) }
                #expect(try await eventually { try await store.used(charge) == 0 })
            }
        }
    }

    /// Runs a decision in so many tasks, each cancelled after a random while.
    private func cancelled(_ count: Int, _ outcomes: Tally, _ decide: @escaping @Sendable () async throws -> Verdict) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                let task = Task {
                    do {
                        _ = try await decide()
                        outcomes.add("granted")
                    } catch let error as LimiterError {
                        #expect(error.code == .cancelled)
                        outcomes.add(error.charge == .unknown ? "unknown" : "notCharged")
                    }
                }
                group.addTask {
                    for _ in 0..<Int.random(in: 0..<12) { await Task.yield() }
                    if Bool.random() { try await Task.sleep(for: .microseconds(Int64.random(in: 0..<3_000))) }
                    task.cancel()
                    try await task.value
                }
                if Int.random(in: 0..<4) == 0 { await Task.yield() }
            }
            try await group.waitForAll()
        }
    }

    @Test("More than may wait is refused at once, and the rest is answered")
    func overload() async throws {
        try await withFake({ [.later(FakeRedis.granted($0), .milliseconds(200))] }) { fake in
            var configuration = configuration(fake.socket)
            configuration.bounds.decisions = 100
            try await withStore(configuration) { store in
                let outcomes = Tally()
                let charge = try Charge.counted("acme")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<300 {
                        group.addTask {
                            let start = ContinuousClock.now
                            do throws(LimiterError) {
                                _ = try await store.take(charge)
                                outcomes.add("granted")
                            } catch {
                                #expect(error.code == .overloaded && error.charge == .notCharged)
                                #expect(ContinuousClock.now - start < .milliseconds(50))
                                outcomes.add("refused")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(outcomes.all == ["granted": 100, "refused": 200])
                #expect(try await eventually { store.load.decisions == 0 })
                #expect(try await store.take(charge).granted == 1)
            }
        }
    }

    @Test("Graceful shutdown answers all that is in flight, and refuses what comes after")
    func gracefulShutdown() async throws {
        try await withFake({ [.later(FakeRedis.granted($0), .milliseconds(100))] }) { fake in
            let store = try RedisStore(configuration(fake.socket))
            let group = ServiceGroup(services: [store], logger: Logger(label: "test"))
            let charge = try Charge.counted("acme")
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                _ = try await store.take(charge)
                for _ in 0..<50 {
                    tasks.addTask {
                        let verdict = try await store.take(charge)
                        #expect(verdict.granted == 1)
                    }
                }
                #expect(try await eventually { store.load.decisions >= 50 })
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            await #expect { try await store.take(charge) } throws: { error in
                let error = error as? LimiterError
                return error?.code == .closed && error?.charge == .notCharged
            }
            await #expect { try await store.run() } throws: { ($0 as? LimiterError)?.code == .closed }
            #expect(try await eventually { store.load.decisions == 0 })
        }
    }

    @Test("Graceful shutdown waits for a lost answer no longer than the deadline")
    func shutdownWithLostAnswer() async throws {
        try await withFake({ _ in [] }) { fake in
            let store = try RedisStore(configuration(fake.socket, deadline: .milliseconds(300)))
            let group = ServiceGroup(services: [store], logger: Logger(label: "test"))
            let charge = try Charge.counted("acme")
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                tasks.addTask {
                    await #expect { try await store.take(charge) } throws: { ($0 as? LimiterError)?.charge == .unknown }
                }
                #expect(try await eventually { fake.nonces.count == 1 })
                let start = ContinuousClock.now
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                #expect(ContinuousClock.now - start < .milliseconds(700))
            }
        }
    }

    @Test("Cancelling run() closes at once: what was sent is unknown, what waits was not charged")
    func cancelledRun() async throws {
        try await withFake({ _ in [] }) { fake in
            let store = try RedisStore(configuration(fake.socket, deadline: .seconds(5)))
            let run = Task { try await store.run() }
            let answer = Task { try await store.take(try Charge.counted("acme")) }
            #expect(try await eventually { fake.nonces.count == 1 })
            run.cancel()
            await #expect { try await answer.value } throws: { error in
                let error = error as? LimiterError
                return error?.code == .closed && error?.charge == .unknown
            }
            try await run.value
            #expect(try await eventually { store.load.decisions == 0 })
        }
    }

    @Test("Without run(), calls wait until their deadline and say what is missing")
    func notRunning() async throws {
        let store = try RedisStore(configuration("/tmp/nowhere", deadline: .milliseconds(50)))
        let start = ContinuousClock.now
        await #expect { try await store.probe() } throws: { error in
            let error = error as? LimiterError
            return error?.code == .closed && error?.charge == .notCharged && error?.message.contains("run()") == true
        }
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        #expect(try await eventually { store.load.decisions == 0 })
    }

    @Test("Calls that come before run() are answered once it runs")
    func earlyCalls() async throws {
        try await withRedis { redis in
            let store = try RedisStore(configuration(redis.socket))
            async let early = store.take(try Charge.counted("acme"))
            try await Task.sleep(for: .milliseconds(20))
            let run = Task { try await store.run() }
            let verdict = try await early
            #expect(verdict.granted == 1)
            run.cancel()
            try await run.value
        }
    }
}
