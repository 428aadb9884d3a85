import Headgate
import TestSupport

@testable import HeadgateRedis

/// One call with what the oracle says of it: what the script answers, and what is stored afterwards.
struct RehearsedStep {
    var what: String
    /// Commands that prepare the step, then the script's call.
    var frames: [[UInt8]]
    /// The script's reply without the nonce.
    var reply: [Int64]
    /// The keys whose states are compared, with the time to live in milliseconds that each has if this step writes it.
    var states: [(key: String, algorithm: Algorithm.Name, state: StoredState?, timeToLive: Int64)]
}

/// Generates operations against the oracle, `CountTable`, and writes down what Redis has to say to the same.
struct Rehearsal {
    var random: Generator
    var table = CountTable()
    var now: Int64 = 1_763_782_569_123_456
    /// Limits with equal ids are versions of one limit: a plan that changes.
    let limits: [Limit]
    let identities: [Identity]
    let mostCharges: Int
    private var receipts: [Receipt] = []
    private var leases: [Lease] = []
    private var borders: [Int64] = []
    private let keys: KeySpace
    let script: RedisScript
    private var nonce: Int64 = 0

    init(seed: UInt64, limits: [Limit], identities: Int = 2, mostCharges: Int = 1, texts: TestScript.Texts = .asShipped) throws {
        random = Generator(seed: seed)
        self.limits = limits
        self.identities = try (0..<identities).map { try Identity(.account, "acme\($0)") }
        self.mostCharges = mostCharges
        keys = try KeySpace(prefix: "t")
        script = try TestScript.make(texts)
    }

    mutating func step() throws -> RehearsedStep {
        moveTime()
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<8 where !receipts.isEmpty: return try refund()
        case 8..<20 where !leases.isEmpty: return try renewOrRelease()
        case 20..<22: return try reset()
        case 22..<25: return try corrupt()
        default: return try decide()
        }
    }

    // MARK: Time

    private mutating func moveTime() {
        // Borders of 400 days add up; the year 2100 is far enough.
        if now > 4_102_444_800_000_000 { now = 1_763_782_569_123_456 }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<40: break
        case 40..<55: now += Int64.random(in: 1...1_000, using: &random)
        case 55..<75: now += Int64.random(in: 1...20_000_000, using: &random)
        case 75..<82: now += Int64.random(in: 1...200_000_000, using: &random)
        case 82..<98:
            // Exactly on a border that the oracle has told, or one microsecond before or after it.
            if let border = borders.randomElement(using: &random), border > now {
                now = border + Int64.random(in: -1...1, using: &random)
            }
        default: now -= Int64.random(in: 1...300_000_000, using: &random)
        }
    }

    // MARK: Operations

    private mutating func context() -> ScriptContext {
        nonce += 1
        return ScriptContext(script: script, keys: keys, nonce: nonce)
    }

    private mutating func charge() -> Charge? {
        guard let limit = limits.randomElement(using: &random), let identity = identities.randomElement(using: &random) else { return nil }
        let capacity = limit.algorithm.capacity
        var limited = limit
        if Int.random(in: 0..<10, using: &random) == 0 { limited.mode = .shadow }
        let costs: [Int64] = [
            1, 1, 1, 2, 3, max(1, capacity / 3), max(1, capacity - 1), max(1, capacity), capacity + 1, Algorithm.mostUnits,
        ]
        return Charge(
            limited,
            identity: identity,
            cost: costs.randomElement(using: &random) ?? 1,
            reserve: [0, 0, 0, 1, capacity / 5, capacity].randomElement(using: &random) ?? 0,
            effect: Int.random(in: 0..<8, using: &random) == 0 ? .observe : .take
        )
    }

    private mutating func decide() throws -> RehearsedStep {
        let decisions = (0..<(mostCharges > 1 ? Int.random(in: 1...3, using: &random) : 1)).map { _ in
            var charges: [Charge] = []
            for _ in 0..<Int.random(in: 1...mostCharges, using: &random) {
                guard let charge = charge() else { continue }
                let key = CountTable.Key(charge.identity, charge.limit)
                if !charges.contains(where: { CountTable.Key($0.identity, $0.limit) == key }) { charges.append(charge) }
            }
            let reusedID = leases.randomElement(using: &random)?.id
            let id = Int.random(in: 0..<6, using: &random) == 0 ? reusedID ?? "lease" : "lease\(nonce).\(random.next() % 1_000_000)"
            return StoreDecision(charges: charges, count: [1, 1, 1, 2, 5].randomElement(using: &random) ?? 1, leaseID: id)
        }
        let reply = table.decide(decisions, at: now)
        for (decision, verdict) in zip(decisions, reply.verdicts) { remember(decision, verdict) }
        let integers = reply.verdicts.flatMap { verdict in
            [verdict.granted]
                + verdict.readings.flatMap { [$0.fit, $0.remaining, $0.retryAfter, $0.nextUnit, $0.full, $0.stamp] }
        }
        return RehearsedStep(
            what: "at \(now) decide \(decisions)",
            frames: [TestScript.frame(try ScriptCall.decide(decisions[...], context()).frame, at: now)],
            reply: [now] + integers,
            states: states(of: decisions.flatMap(\.charges).map { ($0.identity, $0.limit) })
        )
    }

    private mutating func remember(_ decision: StoreDecision, _ verdict: Verdict) {
        for (charge, reading) in zip(decision.charges, verdict.readings) {
            for border in [reading.retryAfter, reading.nextUnit, reading.full] where border > 0 { borders.append(now + border) }
            let taken = min(verdict.granted, reading.fit)
            guard taken > 0, charge.effect == .take else { continue }
            receipts.append(
                Receipt(limit: charge.limit, identity: charge.identity, units: charge.cost * taken, stamp: reading.stamp)
            )
            if case .concurrency = charge.limit.algorithm {
                leases.append(Lease(id: decision.leaseID, slots: [.init(identity: charge.identity, limit: charge.limit)]))
            }
        }
        receipts = receipts.suffix(12)
        leases = leases.suffix(12)
        borders = borders.suffix(12)
    }

    private mutating func refund() throws -> RehearsedStep {
        var chosen: [Receipt] = []
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            guard let receipt = receipts.randomElement(using: &random) else { continue }
            let key = CountTable.Key(receipt.identity, receipt.limit)
            if !chosen.contains(where: { CountTable.Key($0.identity, $0.limit) == key }) { chosen.append(receipt) }
        }
        let returned = table.refund(chosen, at: now)
        return RehearsedStep(
            what: "at \(now) refund \(chosen)",
            frames: [TestScript.frame(try ScriptCall.refund(chosen, context()).frame, at: now)],
            reply: [now] + returned,
            states: states(of: chosen.map { ($0.identity, $0.limit) })
        )
    }

    private mutating func renewOrRelease() throws -> RehearsedStep {
        guard var lease = leases.randomElement(using: &random) else { return try decide() }
        if let other = leases.randomElement(using: &random), other.slots != lease.slots, Bool.random(using: &random) {
            lease = Lease(id: lease.id, slots: lease.slots + other.slots)
        }
        let isRenewal = Bool.random(using: &random)
        let result: Int64 = isRenewal ? (table.renew(lease, at: now) ? 1 : 0) : table.release(lease, at: now)
        let call = isRenewal ? try ScriptCall.renew(lease, context()) : try ScriptCall.release(lease, context())
        return RehearsedStep(
            what: "at \(now) \(isRenewal ? "renew" : "release") \(lease)",
            frames: [TestScript.frame(call.frame, at: now)],
            reply: [now, result],
            states: states(of: lease.slots.map { ($0.identity, $0.limit) })
        )
    }

    private mutating func reset() throws -> RehearsedStep {
        guard let charge = charge() else { return try decide() }
        let existed: Int64 = table.states[CountTable.Key(charge.identity, charge.limit)] == nil ? 0 : 1
        table.reset(charge.identity, [charge.limit])
        return RehearsedStep(
            what: "at \(now) reset",
            frames: [TestScript.frame(try ScriptCall.reset(charge.identity, [charge.limit], context()).frame, at: now)],
            reply: [now, existed],
            states: states(of: [(charge.identity, charge.limit)])
        )
    }

    /// Puts something of a wrong type or form in a key's place, and judges by it at once.
    private mutating func corrupt() throws -> RehearsedStep {
        // What is foreign is overwritten by the next charge; a limit of zero never has one.
        guard let charge = charge(), charge.limit.algorithm.capacity > 0 else { return try decide() }
        let key = keys.key(charge.identity, charge.limit)
        let far = now + 40_000_000_000
        var commands = [["DEL", key]]
        var state: StoredState?
        switch (Int.random(in: 0..<8, using: &random), charge.limit.algorithm.name) {
        case (0, _):
            commands.append([
                "SET", key,
                [
                    "", "nan", "-1", "1e400", "7 7 7 7", "99999999999999999999", "x y", "2 \(far) 1", "3 \(far) 1 \(far) 2",
                    "3 \(far) 1 \(now) 2 ",
                ].randomElement(using: &random) ?? "",
            ])
        case (1, _): commands.append(["RPUSH", key, "garbage", "1", "2"])
        case (2, _): commands.append(["HSET", key, "field", "value"])
        case (3, .concurrency): commands.append(["SADD", key, "member"])
        case (3, _): commands.append(["ZADD", key, "1", "member"])
        case (_, .slidingWindowLog):
            let value = ["5 \(far) 2", "\(now)", "1", "\(far - 1)", "2"]
            commands.append(Bool.random(using: &random) ? ["RPUSH", key] + value : ["SET", key, value.joined(separator: " ")])
            state = .log(.init(entries: [.init(stamp: now, units: 1), .init(stamp: far - 1, units: 2), .init(stamp: far, units: 2)]))
        case (let kind, .tokenBucket):
            // A remainder that fits, one that is as large as the divisor, and one of another rate.
            let divisor: Int64 = if case .tokenBucket(let bucket) = charge.limit.algorithm { bucket.divisor } else { 1 }
            let (arrival, fraction) = [(far, 3), (now + 5_000_000, divisor), (now + 5_000_000, divisor + 1)][kind % 3]
            commands.append(["SET", key, "\(arrival) \(fraction)"])
            state = .bucket(.init(arrival: arrival, fraction: fraction))
        case (_, .fixedWindow):
            commands.append(["SET", key, "2 \(far)"])
            state = .window(.init(count: 2, start: far))
        case (_, .slidingWindowCounter):
            commands.append(["SET", key, "2 1 \(far)"])
            state = .counter(.init(current: 2, previous: 1, start: far))
        case (_, .concurrency):
            commands.append(["ZADD", key, "\(far)", "future", "\(now)", "ended"])
            state = .concurrency(.init(leases: ["future": far, "ended": now]))
        }
        table.replace(CountTable.Key(charge.identity, charge.limit), with: state)
        // An ordinary request follows, which must neither fail nor keep a key without a time to live.
        let decision = StoreDecision(charges: [Charge(charge.limit, identity: charge.identity)], leaseID: "after")
        let reply = table.decide([decision], at: now).verdicts[0]
        let reading = reply.readings[0]
        let call = try ScriptCall.decide([decision], context())
        let before = try commands.map { try CommandArguments($0).framed() }
        return RehearsedStep(
            what: "at \(now) corrupt \(commands) and decide \(decision)",
            frames: before + [TestScript.frame(call.frame, at: now)],
            reply: [
                now, reply.granted, reading.fit, reading.remaining, reading.retryAfter, reading.nextUnit, reading.full, reading.stamp,
            ],
            states: states(of: [(charge.identity, charge.limit)])
        )
    }

    private func states(
        of places: [(Identity, Limit)]
    ) -> [(key: String, algorithm: Algorithm.Name, state: StoredState?, timeToLive: Int64)] {
        places.map { identity, limit in
            let state = table.states[CountTable.Key(identity, limit)]
            let end = state.map { Rehearsal.end(limit.algorithm.counting, $0) } ?? now
            return (keys.key(identity, limit), limit.algorithm.name, state, (end - now + 999) / 1_000 + 1)
        }
    }

    private static func end<A: CountingAlgorithm>(_ algorithm: A, _ state: StoredState) -> Int64 {
        A.unwrap(state).map { algorithm.end(of: $0) } ?? 0
    }
}
