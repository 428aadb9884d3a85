import Foundation
import Headgate
import HeadgateRedis
import Synchronization
import UnixSignals

/// The library under load: paced decisions by a plan, and what standard input asks for.
struct Worker: Sendable {
    let name: String
    let plan: Plan
    let limits: [Limit]
    let store: RedisStore
    let limiter: Limiter
    let history: History
    let metrics: MemoryMetrics
    let pace: Pace

    init(name: String, plan: Plan, url: String, history: String, metrics: MemoryMetrics) throws {
        self.name = name
        self.plan = plan
        limits = plan.limits.compactMap { one in
            do { return try one.limit() } catch {
                Output.print(["invalid": one.id, "code": (error as? LimiterError)?.code.description ?? "\(error)"])
                return nil
            }
        }
        store = try RedisStore(try plan.configuration(url: url))
        limiter = Limiter(store: store, rules: PlannedRules(plan, limits))
        self.history = try History(path: history, name: name)
        self.metrics = metrics
        pace = Pace(rate: plan.rate)
    }
}

/// The plan's limits by their ids, joined by `+` in place of a path.
struct PlannedRules: RuleSet {
    private var limits: [String: Limit] = [:]
    private var shared: [String: String] = [:]

    init(_ plan: Plan, _ limits: [Limit]) {
        for limit in limits { self.limits[limit.id] = limit }
        for limit in plan.limits { shared[limit.id] = limit.shared }
    }

    func limits(for request: LimitRequest) throws(LimiterError) -> [AppliedLimit] {
        var applied: [AppliedLimit] = []
        for id in request.endpoint.path.split(separator: "+").map(String.init) {
            guard let limit = limits[id] else { throw LimiterError(.badRequest, "the plan has no limit of that name") }
            let identity = if let name = shared[id] { try Identity(.global, name) } else { request.subject.identity }
            let charge = Charge(limit, identity: identity, cost: request.cost.units())
            applied.append(AppliedLimit(name: id, role: .direct, id: id, charge: charge))
        }
        return applied
    }
}

/// How many decisions a second are made now.
final class Pace: Sendable {
    private let rate: Atomic<Int>
    private let isOver = Atomic(false)

    init(rate: Int) { self.rate = Atomic(rate) }

    var perSecond: Int {
        get { rate.load(ordering: .relaxed) }
        set { rate.store(newValue, ordering: .relaxed) }
    }

    var ended: Bool { isOver.load(ordering: .relaxed) }
    func end() { isOver.store(true, ordering: .relaxed) }
}

extension Worker {
    /// Works until the plan's time is over, or standard input ends or says so.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await store.run() }
            group.addTask { try await history.keepFlushing() }
            group.addTask { for await _ in await UnixSignalsSequence(trapping: .sigusr1) { report(final: false) } }
            await withTaskGroup(of: Void.self) { callers in
                for task in 0..<plan.tasks { callers.addTask { await load(task) } }
                Output.print(["ready": name])
                await obey()
                pace.end()
                // Those under way end by their deadline.
                await callers.waitForAll()
            }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
        try history.flush()
        report(final: true)
    }

    /// Decides at the plan's pace.
    private func load(_ task: Int) async {
        var random = SeededGenerator(seed: plan.seed, salt: Array("\(name) \(task)".utf8))
        let clock = SuspendingClock()
        try? await Task.sleep(for: .milliseconds(Int.random(in: 0..<20, using: &random)))
        while !pace.ended, !Task.isCancelled {
            let rate = pace.perSecond
            guard rate > 0, !plan.keys.isEmpty, !limits.isEmpty else {
                try? await Task.sleep(for: .milliseconds(5))
                continue
            }
            let next = clock.now + .microseconds(1_000_000 * plan.tasks / rate)
            let chosen = plan.together ? limits : [limits[Int.random(in: limits.indices, using: &random)]]
            let key = plan.keys[Int.random(in: plan.keys.indices, using: &random)]
            let cost = plan.costs[Int.random(in: plan.costs.indices, using: &random)]
            let lease = await decide(key, chosen, cost)
            if let lease {
                try? await Task.sleep(for: .milliseconds(Int.random(in: plan.hold[0]...plan.hold[1], using: &random)))
                await release(lease, key)
            }
            try? await clock.sleep(until: next)
        }
    }

    /// Makes one decision and notes it.
    @discardableResult
    func decide(_ key: String, _ limits: [Limit], _ cost: Int64, burst: Int64? = nil) async -> Lease? {
        await decided(key, limits, cost, burst: burst).lease
    }

    /// Makes one decision and notes it.
    func decided(_ key: String, _ limits: [Limit], _ cost: Int64, burst: Int64? = nil) async -> (record: Record, lease: Lease?) {
        let label = limits.map(\.id).joined(separator: "+")
        var record = Record(l: label, k: key, c: cost, s: monotonicNanoseconds(), b: burst)
        var lease: Lease?
        do throws(LimiterError) {
            let endpoint = Endpoint(method: "GET", path: label)
            let decision = try await limiter.acquire(.units(cost), for: Subject(try Identity(.account, key)), on: endpoint)
            lease = decision.lease
            record.end(decision)
        } catch {
            record.end(error)
        }
        history.add(record)
        return (record, lease)
    }

    /// Gives a slot back and notes it.
    func release(_ lease: Lease, _ key: String) async {
        let label = lease.slots.map(\.limit.id).joined(separator: "+")
        var record = Record(l: label, k: key, c: 1, s: monotonicNanoseconds(), o: "R", lease: lease.id)
        do throws(LimiterError) {
            let end = try await limiter.release(lease)
            record.e = monotonicNanoseconds()
            record.x = end == .released ? nil : "notHeld"
        } catch {
            record.end(error)
            record.o = "R"
        }
        history.add(record)
    }

    func report(final: Bool) {
        Output.print(Report(metrics: metrics.snapshot, footprint: .now, records: history.count, final: final))
    }
}
