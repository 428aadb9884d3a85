/// The counts of one process: a pure value that judges as the Redis script does, and its oracle in tests.
package struct CountTable: Sendable {
    /// Where one count is kept.
    package struct Key: Sendable, Hashable {
        package var identity: Identity
        package var limit: String
        package var algorithm: Algorithm.Name

        package init(_ identity: Identity, _ limit: Limit) {
            self.identity = identity
            self.limit = limit.id
            algorithm = limit.algorithm.name
        }
    }

    package private(set) var states: [Key: StoredState] = [:]

    package init() {}

    /// Judges decisions in order, each atomically.
    package mutating func decide(_ decisions: [StoreDecision], at now: Int64) -> StoreReply {
        StoreReply(time: StoreTime(microseconds: now), verdicts: decisions.map { decide($0, at: now) })
    }

    private mutating func decide(_ decision: StoreDecision, at now: Int64) -> Verdict {
        var granted = decision.count
        var settled: [Settled] = []
        for charge in decision.charges {
            let one = settle(charge.limit.algorithm.counting, charge, leaseID: decision.leaseID, at: now)
            settled.append(one)
            if charge.limit.mode == .enforced { granted = min(granted, one.room) }
        }
        let readings = zip(decision.charges, settled).map { charge, one in
            let reading = finish(charge.limit.algorithm.counting, charge, one, granted: granted, decision: decision, at: now)
            return reading
        }
        return Verdict(granted: granted, readings: readings)
    }

    /// A limit's state before the decision.
    private struct Settled {
        var state: StoredState?
        var mustWrite: Bool
        var room: Int64
    }

    private func settle<A: CountingAlgorithm>(_ algorithm: A, _ charge: Charge, leaseID: String, at now: Int64) -> Settled {
        let stored = states[Key(charge.identity, charge.limit)].flatMap(A.unwrap)
        let (state, mustWrite) = algorithm.settle(stored, at: now)
        let request = UnitRequest(cost: charge.cost, reserve: charge.reserve, leaseID: leaseID)
        return Settled(state: state.map(A.wrap), mustWrite: mustWrite, room: algorithm.fit(state, at: now, request: request))
    }

    private mutating func finish<A: CountingAlgorithm>(
        _ algorithm: A,
        _ charge: Charge,
        _ settled: Settled,
        granted: Int64,
        decision: StoreDecision,
        at now: Int64
    ) -> Reading {
        let request = UnitRequest(cost: charge.cost, reserve: charge.reserve, leaseID: decision.leaseID)
        var state = settled.state.flatMap(A.unwrap)
        var stamp = now
        if charge.effect == .take {
            let take = min(granted, settled.room)
            if take > 0 { (state, stamp) = algorithm.charge(state, at: now, request: request, count: take) }
            // What no count would ever allow says nothing of the count, so it settles nothing: its limit may be another's zero.
            if take > 0 || (settled.mustWrite && !charge.isImpossible) { states[Key(charge.identity, charge.limit)] = state.map(A.wrap) }
        }
        let outlook = algorithm.read(state, at: now, request: request)
        return Reading(
            fit: min(settled.room, decision.count),
            remaining: outlook.remaining,
            retryAfter: outlook.retryAfter,
            nextUnit: outlook.nextUnit,
            full: outlook.full,
            stamp: stamp
        )
    }

    /// Takes charges back; returns the units that came back of each.
    package mutating func refund(_ receipts: [Receipt], at now: Int64) -> [Int64] {
        receipts.map { refund($0.limit.algorithm.counting, $0, at: now) }
    }

    private mutating func refund<A: CountingAlgorithm>(_ algorithm: A, _ receipt: Receipt, at now: Int64) -> Int64 {
        let key = Key(receipt.identity, receipt.limit)
        let (settled, mustWrite) = algorithm.settle(states[key].flatMap(A.unwrap), at: now)
        let (state, returned) = algorithm.refund(settled, at: now, units: receipt.units, stamp: receipt.stamp)
        if state != settled || mustWrite { states[key] = state.map(A.wrap) }
        return returned
    }

    /// Counts a lease's time anew in all of its slots, or in none; returns whether it was held.
    package mutating func renew(_ lease: Lease, at now: Int64) -> Bool {
        let held = lease.slots.allSatisfy { leases(of: $0)[lease.id, default: .min] > now }
        guard held else { return false }
        for slot in lease.slots {
            guard case .concurrency(let concurrency) = slot.limit.algorithm else { continue }
            set(lease.id, to: now + concurrency.timeToLive, in: slot)
        }
        return true
    }

    /// Frees a lease's slots; returns how many were held.
    package mutating func release(_ lease: Lease, at now: Int64) -> Int64 {
        var freed: Int64 = 0
        for slot in lease.slots where leases(of: slot)[lease.id, default: .min] > now {
            set(lease.id, to: nil, in: slot)
            freed += 1
        }
        return freed
    }

    private func leases(of slot: Lease.Slot) -> [String: Int64] {
        if case .concurrency(let state) = states[Key(slot.identity, slot.limit)] { state.leases } else { [:] }
    }

    private mutating func set(_ id: String, to end: Int64?, in slot: Lease.Slot) {
        var leases = leases(of: slot)
        leases[id] = end
        states[Key(slot.identity, slot.limit)] = leases.isEmpty ? nil : .concurrency(.init(leases: leases))
    }

    /// Forgets the counts of some limits.
    package mutating func reset(_ identity: Identity, _ limits: [Limit]) {
        for limit in limits { states[Key(identity, limit)] = nil }
    }

    /// Puts a state in place, as a test does with one that it made up.
    package mutating func replace(_ key: Key, with state: StoredState?) { states[key] = state }

    /// Forgets what has ended, given what each key's limit said last.
    package mutating func sweep(_ hasEnded: (Key, StoredState) -> Bool) {
        states = states.filter { !hasEnded($0.key, $0.value) }
    }
}
