package import Headgate
package import HeadgateRedis
import Logging
import NIOCore
import NIOPosix
import Synchronization
import UnixSignals

#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// Measures decisions of this process against a Redis.
///
/// Its keys begin with ``keyPrefix``, so that it can be pointed at a Redis that is in use, and are deleted afterwards.
package struct Bench: Sendable {
    /// What every key of a measurement begins with.
    package static let keyPrefix = "hgbench"

    private let plan: BenchPlan
    private let configuration: RedisConfiguration

    /// Prepares a measurement of the Redis that a configuration names; key prefix, deadline and client name are its own.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` for a cluster: one server is measured.
    package init(_ plan: BenchPlan, redis: RedisConfiguration) throws(LimiterError) {
        if case .cluster = redis.topology {
            throw LimiterError(.badRequest, "one Redis server is measured; expected the URL of a server, not of a cluster")
        }
        self.plan = plan
        configuration = redis.forBench
    }

    /// Runs the requests, a quarter of the time (a second at most) unmeasured to warm up, and deletes the keys.
    ///
    /// An interrupt ends the measurement early: the figures are those of the time until then.
    ///
    /// - Throws: ``LimiterError`` when Redis gives no answer before or after the measurement, or the policy refuses the requests.
    package func run() async throws -> Measurement {
        let store = try RedisStore(configuration, logger: Logger(label: "headgate", factory: { _ in SwiftLogNoOpLogHandler() }))
        let traffic = try Traffic(plan, store: store)
        let ending = Ending()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await store.run() }
            group.addTask { for await _ in signals { ending.end() } }
            try await store.probe()
            do {
                let measurement = try await measure(traffic, store, until: ending)
                try await clean(store, traffic)
                return measurement
            } catch {
                try? await clean(store, traffic)
                throw error
            }
        }
    }

    private func measure(_ traffic: Traffic, _ store: RedisStore, until ending: Ending) async throws -> Measurement {
        var place = 0
        // The first request takes what later ones are denied.
        _ = try await traffic.ask(&place)
        _ = try await drive(traffic, for: min(plan.duration / 4, .seconds(1)), until: ending)
        let before = try await RedisReading(of: store)
        let cpu = clock()
        let start = ContinuousClock.now
        var measurement = try await drive(traffic, for: plan.duration, until: ending)
        measurement.seconds = (ContinuousClock.now - start) / .seconds(1)
        measurement.clientCPUSeconds = Double(clock() - cpu) / Double(CLOCKS_PER_SEC)
        let after = try await RedisReading(of: store)
        measurement.redisCPUSeconds = after.cpuSeconds - before.cpuSeconds
        measurement.redisCalls = after.scriptCalls - before.scriptCalls
        return measurement
    }

    private func drive(_ traffic: Traffic, for duration: Duration, until ending: Ending) async throws -> Measurement {
        guard let rate = plan.rate else { return try await drive(traffic, for: duration, until: ending, by: nil) }
        // A thread of its own: those of the connections are not to be in the way of time.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let arrivals = Arrivals(perSecond: rate, on: group.any())
            let measurement = try await drive(traffic, for: duration, until: ending, by: arrivals)
            try await group.shutdownGracefully()
            return measurement
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func drive(
        _ traffic: Traffic,
        for duration: Duration,
        until ending: Ending,
        by arrivals: Arrivals?
    ) async throws -> Measurement {
        ending.begin(at: NIODeadline.now() + TimeAmount(duration))
        return try await withThrowingTaskGroup(of: Measurement.self) { group in
            for number in 0..<plan.callers {
                group.addTask {
                    let place = traffic.start(ofCaller: number, of: plan.callers)
                    guard let arrivals else { return try await Caller(traffic, ending).repeats(from: place) }
                    return try await Caller(traffic, ending).follows(arrivals, from: place)
                }
            }
            return try await group.reduce(into: Measurement()) { $0.add($1) }
        }
    }

    private func clean(_ store: RedisStore, _ traffic: Traffic) async throws {
        guard !plan.keepsKeys else { return }
        let keySpace = try KeySpace(prefix: Bench.keyPrefix)
        let keys = try traffic.keys(keySpace)
        for start in stride(from: 0, to: keys.count, by: 500) {
            _ = try await store.command(["DEL"] + keys[start..<min(start + 500, keys.count)])
        }
        // What the store itself keeps; it has a time to live, too, where the store is faster than this.
        let own = "\(Bench.keyPrefix):{g:headgate}:"
        _ = try await store.command(["DEL"] + ["canary:tb1", "instances:con1", "given-back"].map { own + $0 })
    }
}

extension RedisConfiguration {
    fileprivate var forBench: RedisConfiguration {
        var own = self
        own.keyPrefix = Bench.keyPrefix
        // A queue shows as latency and not as errors.
        own.deadline = .seconds(5)
        own.clientName = "headgate-bench"
        return own
    }
}

/// When the callers stop.
private final class Ending: Sendable {
    private let isInterrupted = Atomic(false)
    private let deadline = Atomic<UInt64>(0)

    func begin(at end: NIODeadline) { deadline.store(end.uptimeNanoseconds, ordering: .relaxed) }

    func end() { isInterrupted.store(true, ordering: .relaxed) }

    func isOver(at now: NIODeadline) -> Bool {
        now.uptimeNanoseconds >= deadline.load(ordering: .relaxed) || isInterrupted.load(ordering: .relaxed)
    }
}

/// One of those who ask.
private struct Caller {
    private let traffic: Traffic
    private let ending: Ending
    private var seen = Measurement()
    private var place = 0

    init(_ traffic: Traffic, _ ending: Ending) {
        self.traffic = traffic
        self.ending = ending
    }

    /// Asks again as soon as it has an answer.
    consuming func repeats(from first: Int) async throws -> Measurement {
        place = first
        var start = NIODeadline.now()
        var asked = 0
        while !ending.isOver(at: start) {
            start = try await ask(since: start)
            asked += 1
            // Answers from memory never wait: others would not come to their turn.
            if asked.isMultiple(of: 64) {
                await Task.yield()
                start = .now()
            }
        }
        return seen
    }

    /// Asks when a request arrives.
    consuming func follows(_ arrivals: Arrivals, from first: Int) async throws -> Measurement {
        place = first
        while true {
            let turn = await arrivals.next()
            let now = NIODeadline.now()
            if ending.isOver(at: now) { arrivals.end() }
            switch turn {
            case .over: return seen
            case .now: _ = try await ask(since: now)
            case .since(let intended): _ = try await ask(since: intended)
            }
        }
    }

    /// Asks, and notes how it went; returns the time of the answer.
    private mutating func ask(since start: NIODeadline) async throws -> NIODeadline {
        let decision = try await traffic.ask(&place)
        let end = NIODeadline.now()
        if let error = decision.degradation {
            seen.errors += 1
            seen.lastError = error.description
            // Refusals that come at once would starve everything else.
            try await Task.sleep(for: .milliseconds(1))
        } else {
            seen.times.record(nanoseconds: UInt64((end - start).nanoseconds))
            if decision.isAllowed { seen.allowed += 1 } else { seen.denied += 1 }
        }
        if decision.lease != nil { try await traffic.end(decision) }
        return decision.lease == nil ? end : .now()
    }
}
