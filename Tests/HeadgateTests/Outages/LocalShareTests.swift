import Headgate
import HeadgateTesting
import TestSupport
import Testing

/// Random traffic over several instances without a store, judged by the definitions alone: never over, and no share unused.
@Suite("Shares keep the promise of the limit")
struct LocalShareTests {
    static let second: Int64 = 1_000_000

    /// One request and what became of it.
    struct Event {
        var instance: Int
        var admission: Admission
        var isAllowed: Bool
        /// What one instance had admitted before.
        var own: [Admission]
        /// What all instances have admitted, this request included.
        var all: [Admission]
    }

    /// Sends random requests to random instances, whose stores are away.
    static func traffic(
        _ algorithm: Algorithm,
        instances: Int,
        seed: UInt64,
        steps: Int = 900,
        pause: ClosedRange<Int64> = 1...second,
        check: (Event) -> Void
    ) async throws {
        let clock = ManualClock()
        let limiters = (0..<instances).map { _ in Limiter.over(OutageStore(instances: instances, clock: clock), clock) }
        let limit = try Limit("limit", algorithm, onRedisFailure: .local)
        var random = Generator(seed: seed)
        var admissions = Array(repeating: [Admission](), count: instances)
        for _ in 0..<steps {
            // Bursts in one microsecond are the hard case, so pauses are seldom.
            if Int.random(in: 0..<4, using: &random) == 0 { clock.advance(by: .microseconds(Int64.random(in: pause, using: &random))) }
            let now = (OutageStore.start + clock.now.sinceStart).microseconds
            let instance = Int.random(in: 0..<instances, using: &random)
            let admission = Admission(time: now, units: Int64.random(in: 1...2, using: &random))
            let decision = try await limiters[instance].acquire(admission.units, for: .acme(), limits: [limit])
            let own = admissions[instance]
            if decision.isAllowed { admissions[instance].append(admission) }
            let all = admissions.joined().sorted { $0.time < $1.time }
            check(Event(instance: instance, admission: admission, isAllowed: decision.isAllowed, own: own, all: all))
        }
        #expect(admissions.allSatisfy { $0.count > 3 })
    }

    @Test("of a log: N shares in every window, and no less", arguments: [(3, 20), (4, 20), (7, 3), (2, 1_000)] as [(Int, Int64)])
    func log(instances: Int, units: Int64) async throws {
        let window = 10 * Self.second
        let share = (units + Int64(instances) - 1) / Int64(instances)
        // A share of more than 64 units has 64 slots: a unit comes back up to one of them late.
        let late = share > 64 ? (window + 63) / 64 : 0
        try await Self.traffic(.slidingWindowLog(units, per: .seconds(10)), instances: instances, seed: UInt64(units)) { event in
            #expect(Invariant.used(event.all, endingAt: event.admission.time, window: window) <= Int64(instances) * share)
            guard !event.isAllowed else { return }
            #expect(Invariant.used(event.own, endingAt: event.admission.time, window: window + late) + event.admission.units > share)
        }
    }

    @Test("of a log that is far over its limit all the time: N shares in every window")
    func saturatedLog() async throws {
        try await Self.traffic(
            .slidingWindowLog(400, per: .seconds(10)),
            instances: 2,
            seed: 5,
            steps: 2_500,
            pause: 1...(Self.second / 10)
        ) { event in
            #expect(Invariant.used(event.all, endingAt: event.admission.time, window: 10 * Self.second) <= 400)
        }
    }

    @Test("of a fixed window: N shares in each window, and no less", arguments: [(3, 20), (4, 20), (7, 3)] as [(Int, Int64)])
    func fixedWindow(instances: Int, units: Int64) async throws {
        let window = 10 * Self.second
        let share = (units + Int64(instances) - 1) / Int64(instances)
        try await Self.traffic(.fixedWindow(units, per: .seconds(10)), instances: instances, seed: UInt64(units)) { event in
            #expect(Invariant.usedInAlignedWindow(event.all, of: event.admission.time, window: window) <= Int64(instances) * share)
            guard !event.isAllowed else { return }
            #expect(
                Invariant.usedInAlignedWindow(event.own, of: event.admission.time, window: window) + event.admission.units > share
            )
        }
    }

    @Test("of a counter: its bound, with N shares in place of the limit", arguments: [(3, 20), (4, 20)] as [(Int, Int64)])
    func counter(instances: Int, units: Int64) async throws {
        let window = 10 * Self.second
        let shares = (units + Int64(instances) - 1) / Int64(instances) * Int64(instances)
        try await Self.traffic(.slidingWindowCounter(units, per: .seconds(10)), instances: instances, seed: 9) { event in
            let elapsed = event.admission.time % window
            let previous = Invariant.usedInAlignedWindow(event.all, of: event.admission.time - window, window: window)
            let used = Invariant.used(event.all, endingAt: event.admission.time, window: window)
            #expect(used * window <= shares * window + previous * elapsed)
            #expect(Invariant.usedInAlignedWindow(event.all, of: event.admission.time, window: window) <= shares)
        }
    }

    @Test(
        "of a bucket: N shares of the burst, and the whole rate, and no less",
        arguments: [(3, 7, 60, 20), (4, 10, 1, 50), (7, 100, 60, 100), (5, 999_983, 86_400, 10)] as [(Int, Int64, Int64, Int64)]
    )
    func bucket(instances: Int, units: Int64, seconds: Int64, burst: Int64) async throws {
        let window = seconds * Self.second
        let share = (burst + Int64(instances) - 1) / Int64(instances)
        let algorithm = try Algorithm.tokenBucket(units, per: .seconds(seconds), burst: burst)
        try await Self.traffic(algorithm, instances: instances, seed: UInt64(units), pause: 1...(6 * window / units)) { event in
            let level = Invariant.level(event.all, at: event.admission.time, units: units, window: window)
            #expect(level <= share * Int64(instances) * window)
            guard !event.isAllowed else { return }
            // One instance refills at the whole rate over N: a window N times as long.
            let slow = window * Int64(instances)
            let own = Invariant.level(event.own, at: event.admission.time, units: units, window: slow)
            #expect(own + event.admission.units * slow > share * slow)
        }
    }

    @Test("of concurrency: N shares of leases at once, and no less", arguments: [(3, 10), (4, 2)] as [(Int, Int64)])
    func concurrency(instances: Int, units: Int64) async throws {
        let clock = ManualClock()
        let limiters = (0..<instances).map { _ in Limiter.over(OutageStore(instances: instances, clock: clock), clock) }
        let limit = try Limit("slots", .concurrency(units, timeToLive: .seconds(5)), onRedisFailure: .local)
        let share = Int((units + Int64(instances) - 1) / Int64(instances))
        var random = Generator(seed: UInt64(units))
        var held: [(lease: Lease, instance: Int, until: Duration)] = []
        var denials = 0
        for _ in 0..<2_000 {
            if Bool.random(using: &random) { clock.advance(by: .milliseconds(Int64.random(in: 1...500, using: &random))) }
            held.removeAll { $0.until <= clock.now.sinceStart }
            if !held.isEmpty, Int.random(in: 0..<4, using: &random) == 0 {
                let ended = held.remove(at: Int.random(in: held.indices, using: &random))
                #expect(try await limiters[ended.instance].release(ended.lease) == .released)
            }
            let instance = Int.random(in: 0..<instances, using: &random)
            let decision = try await limiters[instance].acquire(for: .acme(), limits: [limit])
            if let lease = decision.lease {
                held.append((lease, instance, clock.now.sinceStart + .seconds(5)))
            } else {
                denials += 1
                #expect(held.filter { $0.instance == instance }.count == share)
            }
            #expect(held.count <= share * instances)
        }
        #expect(denials > 10)
    }

    @Test("with the store going and coming: at most the limit and N shares in a window, however often")
    func flapping() async throws {
        let (instances, units, window) = (3, Int64(20), 10 * Self.second)
        let clock = ManualClock()
        let store = OutageStore(instances: instances, clock: clock)
        let limiters = (0..<instances).map { _ in Limiter.over(store, clock) }
        let limit = try Limit("limit", .slidingWindowLog(units, per: .seconds(10)), onRedisFailure: .local)
        var random = Generator(seed: 3)
        var admissions: [Admission] = []
        var most: Int64 = 0
        for _ in 0..<3_000 {
            store.set(away: Bool.random(using: &random))
            if Int.random(in: 0..<8, using: &random) == 0 {
                clock.advance(by: .microseconds(Int64.random(in: 1...Self.second, using: &random)))
            }
            let now = (OutageStore.start + clock.now.sinceStart).microseconds
            let instance = Int.random(in: 0..<instances, using: &random)
            if try await limiters[instance].acquire(for: .acme(), limits: [limit]).isAllowed {
                admissions.append(Admission(time: now, units: 1))
            }
            most = max(most, Invariant.used(admissions, endingAt: now, window: window))
        }
        let bound = units + 3 * 7
        #expect(most <= bound)
        #expect(most > units)
    }

    @Test("of limits at the edge of what is exact, among as many instances as there may be", arguments: [1, 2, 65_536, 1_000_000])
    func edges(instances: Int) async throws {
        let clock = ManualClock()
        let limiter = Limiter.over(OutageStore(instances: instances, clock: clock), clock)
        let algorithms: [Algorithm] = [
            try .tokenBucket(1, per: Algorithm.longestWindow, burst: 1),
            try .tokenBucket(Algorithm.mostUnits, per: Algorithm.longestWindow, burst: Algorithm.mostUnits),
            try .tokenBucket(1, per: .milliseconds(1), burst: 1),
            try .slidingWindowLog(Algorithm.mostUnits, per: Algorithm.longestWindow),
            try .slidingWindowCounter(Algorithm.mostUnits, per: Algorithm.longestWindow),
            try .fixedWindow(1, per: .milliseconds(1)),
            try .concurrency(10_000),
        ]
        for (index, algorithm) in algorithms.enumerated() {
            let limit = try Limit("limit\(index)", algorithm, onRedisFailure: .local)
            let least = min(Int64(instances), 65_536)
            let share = (algorithm.capacity + least - 1) / least
            let cost = algorithm.name == .concurrency ? 1 : share
            let first = try await limiter.acquire(cost, for: .acme(), limits: [limit])
            #expect(first.isAllowed && first.limits[0].share == share)
            clock.advance(by: algorithm.window ?? .zero)
            _ = try await limiter.acquire(for: .acme(), limits: [limit])
        }
    }
}
