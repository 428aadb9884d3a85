import Headgate
import TestSupport
import Testing

/// Random traffic against each algorithm, judged by the definitions alone: never over, and never denied what fits.
@Suite("Algorithms keep their promises")
struct AlgorithmInvariantTests {
    static let second: Int64 = 1_000_000
    static let start: Int64 = 1_763_782_569_000_000

    /// Runs random requests; tells of each the time, the cost, and whether it was admitted.
    static func traffic(
        _ algorithm: Algorithm,
        seed: UInt64,
        steps: Int = 1_500,
        pause: ClosedRange<Int64>,
        costs: ClosedRange<Int64> = 1...3,
        check: (_ admissions: [Admission], _ time: Int64, _ cost: Int64, _ isAdmitted: Bool, _ reading: Reading) throws -> Void
    ) throws {
        var random = Generator(seed: seed)
        var table = CountTable()
        let limit = try Limit("limit", algorithm)
        let identity = try Identity(.account, "acme")
        var admissions: [Admission] = []
        var now = start
        for _ in 0..<steps {
            // Bursts in one microsecond are the hard case, so pauses are often none.
            if Bool.random(using: &random) { now += Int64.random(in: pause, using: &random) }
            let cost = Int64.random(in: costs, using: &random)
            let decision = StoreDecision(charges: [Charge(limit, identity: identity, cost: cost)])
            let verdict = table.decide([decision], at: now).verdicts[0]
            if verdict.granted == 1 { admissions.append(Admission(time: now, units: cost)) }
            try check(admissions, now, cost, verdict.granted == 1, verdict.readings[0])
        }
        #expect(admissions.count > 10)
    }

    @Test("A log admits at most its limit in every window, and denies only what does not fit", arguments: [1, 2, 3])
    func exactLog(seed: UInt64) throws {
        let window = 10 * Self.second
        try Self.traffic(.slidingWindowLog(20, per: .seconds(10)), seed: seed, pause: 1...Self.second) {
            past,
            now,
            cost,
            isAdmitted,
            reading in
            let used = Invariant.used(past, endingAt: now, window: window)
            #expect(used <= 20)
            if !isAdmitted { #expect(used + cost > 20) }
            #expect(reading.remaining == 20 - used)
        }
    }

    @Test("A log with slots is as strict, and late by at most one slot", arguments: [1, 2, 3])
    func slottedLog(seed: UInt64) throws {
        let (window, slot) = (10 * Self.second, Self.second / 2)
        let algorithm = try Algorithm.slidingWindowLog(20, per: .seconds(10), resolution: .milliseconds(500))
        try Self.traffic(algorithm, seed: seed, pause: 1...Self.second) { past, now, cost, isAdmitted, _ in
            #expect(Invariant.used(past, endingAt: now, window: window) <= 20)
            if !isAdmitted { #expect(Invariant.used(past, endingAt: now, window: window + slot) + cost > 20) }
        }
    }

    @Test(
        "A bucket admits at most its burst plus its rate, and denies only what does not fit",
        arguments: [(7, 60, 5), (10, 1, 50), (100, 3_600, 100), (999_983, 86_400, 10)]
    )
    func bucket(units: Int64, seconds: Int64, burst: Int64) throws {
        let window = seconds * Self.second
        let algorithm = try Algorithm.tokenBucket(units, per: .seconds(seconds), burst: burst)
        try Self.traffic(algorithm, seed: UInt64(units), steps: 600, pause: 1...(3 * window / units)) { past, now, cost, isAdmitted, _ in
            #expect(Invariant.level(past, at: now, units: units, window: window) <= burst * window)
            if !isAdmitted { #expect(Invariant.level(past, at: now, units: units, window: window) + cost * window > burst * window) }
        }
    }

    @Test("A bucket does not drift: not one unit in a million requests at full rate")
    func noDrift() throws {
        // 7 a minute: one unit is 60,000,000 / 7 microseconds, which no integer of microseconds holds.
        // A burst of 2 keeps the bucket from running full while the next request is a fraction of a microsecond late.
        let bucket = TokenBucket(units: 7, window: 60 * Self.second, burst: 2)
        var state: TokenBucket.State?
        var now = Self.start
        for _ in 0..<1_000_000 {
            state = bucket.settle(state, at: now).state
            if bucket.fit(state, at: now, request: UnitRequest()) == 0 {
                now += bucket.read(state, at: now, request: UnitRequest()).retryAfter
                state = bucket.settle(state, at: now).state
            }
            #expect(bucket.fit(state, at: now, request: UnitRequest()) >= 1)
            state = bucket.charge(state, at: now, request: UnitRequest(), count: 1).state
        }
        // The last of n requests comes at (n - 2) units, rounded up to one microsecond.
        #expect(now - Self.start == (999_998 * 60_000_000 + 6) / 7)
    }

    @Test("A fixed window admits at most its limit in each aligned window", arguments: [1, 2])
    func fixedWindow(seed: UInt64) throws {
        try Self.traffic(.fixedWindow(20, per: .seconds(10)), seed: seed, pause: 1...Self.second) { past, now, cost, isAdmitted, _ in
            let used = Invariant.usedInAlignedWindow(past, of: now, window: 10 * Self.second)
            #expect(used <= 20)
            if !isAdmitted { #expect(used + cost > 20) }
        }
    }

    @Test("A counter's error stays within its bound, and its formula is the documented one", arguments: [1, 2])
    func counter(seed: UInt64) throws {
        let window = 10 * Self.second
        try Self.traffic(.slidingWindowCounter(20, per: .seconds(10)), seed: seed, pause: 1...Self.second) {
            past,
            now,
            cost,
            isAdmitted,
            _ in
            let elapsed = now % window
            let current = Invariant.usedInAlignedWindow(past, of: now, window: window)
            let previous = Invariant.usedInAlignedWindow(past, of: now - window, window: window)
            let estimate = current + (previous * (window - elapsed) + window - 1) / window
            #expect(isAdmitted ? estimate <= 20 : estimate + cost > 20)
            // T <= L + P * f
            #expect(Invariant.used(past, endingAt: now, window: window) * window <= 20 * window + previous * elapsed)
        }
    }

    static func all() throws -> [Algorithm] {
        [
            try .slidingWindowLog(20, per: .seconds(10)),
            try .slidingWindowLog(20, per: .seconds(10), resolution: .milliseconds(700)),
            try .tokenBucket(7, per: .seconds(10), burst: 9),
            try .fixedWindow(20, per: .seconds(10)),
            try .slidingWindowCounter(20, per: .seconds(10)),
        ]
    }

    @Test("Whoever waits for the time told is admitted, and one microsecond earlier is not", arguments: try all())
    func retryAfterIsExact(algorithm: Algorithm) throws {
        var random = Generator(seed: 7)
        var table = CountTable()
        let limit = try Limit("limit", algorithm)
        let identity = try Identity(.account, "acme")
        var now = Self.start
        var denials = 0
        for _ in 0..<2_000 {
            if Bool.random(using: &random) { now += Int64.random(in: 1...Self.second, using: &random) }
            let charge = Charge(
                limit,
                identity: identity,
                cost: .random(in: 1...4, using: &random),
                reserve: .random(in: 0...3, using: &random)
            )
            let decision = StoreDecision(charges: [charge])
            let verdict = table.decide([decision], at: now).verdicts[0]
            guard verdict.granted == 0 else { continue }
            denials += 1
            let wait = verdict.readings[0].retryAfter
            #expect(wait > 0)
            var early = table
            #expect(early.decide([decision], at: now + wait - 1).verdicts[0].granted == 0)
            var late = table
            #expect(late.decide([decision], at: now + wait).verdicts[0].granted == 1)
        }
        #expect(denials > 100)
    }

    @Test("One more unit is there when told, and everything is there when told", arguments: try all())
    func outlookIsTrue(algorithm: Algorithm) throws {
        var random = Generator(seed: 11)
        var table = CountTable()
        let limit = try Limit("limit", algorithm)
        let identity = try Identity(.account, "acme")
        var now = Self.start
        for _ in 0..<800 {
            now += Int64.random(in: 0...(2 * Self.second), using: &random)
            let reading = table.decide([StoreDecision(charges: [Charge(limit, identity: identity)])], at: now).verdicts[0].readings[0]
            var look = Charge(limit, identity: identity)
            look.effect = .observe
            var copy = table
            func remaining(after wait: Int64) -> Int64 {
                copy.decide([StoreDecision(charges: [look])], at: now + wait).verdicts[0].readings[0].remaining
            }
            #expect(remaining(after: reading.full) == algorithm.capacity)
            if reading.full > 0 { #expect(remaining(after: reading.full - 1) < algorithm.capacity) }
            #expect(
                reading.nextUnit == 0 ? reading.remaining == algorithm.capacity : remaining(after: reading.nextUnit) > reading.remaining
            )
            if reading.nextUnit > 0 { #expect(remaining(after: reading.nextUnit - 1) <= reading.remaining) }
        }
    }

    @Test("A clock that goes back admits nothing more and locks out for one window at most", arguments: try all())
    func clockGoesBack(algorithm: Algorithm) throws {
        var table = CountTable()
        let limit = try Limit("limit", algorithm)
        let decision = StoreDecision(charges: [Charge(limit, identity: try Identity(.account, "acme"))])
        while table.decide([decision], at: Self.start).verdicts[0].granted == 1 {}
        let back = Self.start - 3_600 * Self.second
        let denied = table.decide([decision], at: back).verdicts[0]
        #expect(denied.granted == 0)
        // The clamp was written, so an hour of wrong time does not become an hour of lock-out.
        let longest: Int64 = (20 + 1) * Self.second
        #expect(denied.readings[0].retryAfter <= longest)
        #expect(table.decide([decision], at: back + longest).verdicts[0].granted == 1)
    }

    @Test("What is refunded can be had again, and no more than that", arguments: try all())
    func refund(algorithm: Algorithm) throws {
        var random = Generator(seed: 23)
        for _ in 0..<300 {
            var table = CountTable()
            let limit = try Limit("limit", algorithm)
            let identity = try Identity(.account, "acme")
            var now = Self.start
            var kept: [Admission] = []
            var receipt: Receipt?
            for step in 0..<12 {
                now += Int64.random(in: 0...Self.second, using: &random)
                let reply = table.decide([StoreDecision(charges: [Charge(limit, identity: identity, cost: 2)])], at: now).verdicts[0]
                guard reply.granted == 1 else { continue }
                if step == 2 {
                    receipt = Receipt(limit: limit, identity: identity, units: 2, stamp: reply.readings[0].stamp)
                } else {
                    kept.append(Admission(time: now, units: 2))
                }
            }
            now += Int64.random(in: 0...(3 * Self.second), using: &random)
            if let receipt { #expect(table.refund([receipt], at: now)[0] <= 2) }
            // Everything that can be had now, together with what was kept, still keeps the promise.
            while table.decide([StoreDecision(charges: [Charge(limit, identity: identity)])], at: now).verdicts[0].granted == 1 {
                kept.append(Admission(time: now, units: 1))
            }
            switch algorithm {
            case .tokenBucket(let bucket):
                let level = Invariant.level(kept, at: now, units: bucket.units, window: 10 * Self.second)
                #expect(level <= bucket.burst * 10 * Self.second)
            case .fixedWindow:
                #expect(Invariant.usedInAlignedWindow(kept, of: now, window: 10 * Self.second) <= 20)
            case .slidingWindowCounter:
                #expect(Invariant.used(kept, endingAt: now, window: 10 * Self.second) < 40)
            default:
                #expect(Invariant.mostInAnyWindow(kept, window: 10 * Self.second) <= 20)
            }
        }
    }
}
