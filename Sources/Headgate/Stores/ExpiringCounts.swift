/// Counts of one process that are forgotten some time after they have ended.
///
/// They are swept when their number has doubled, so the work is a constant per decision, and memory follows the number of subjects that
/// were seen within their windows.
struct ExpiringCounts: Sendable {
    private var counts = CountTable()
    /// The instant from which each key's state says nothing any more.
    private var ends: [CountTable.Key: Int64] = [:]
    private var sweepAt = 1_024

    /// How many counts are held, ended ones that were not swept yet included.
    var size: Int { max(counts.states.count, ends.count) }

    /// Whether something is kept of a charge's limit.
    func holds(_ charge: Charge) -> Bool { counts.states[CountTable.Key(charge.identity, charge.limit)] != nil }

    /// Judges decisions in order, each atomically.
    mutating func decide(_ decisions: [StoreDecision], at now: Int64) -> StoreReply {
        let reply = counts.decide(decisions, at: now)
        for (decision, verdict) in zip(decisions, reply.verdicts) {
            for (charge, reading) in zip(decision.charges, verdict.readings) where charge.effect == .take {
                let key = CountTable.Key(charge.identity, charge.limit)
                ends[key] = counts.states[key] == nil ? nil : now + reading.full
            }
        }
        if size > sweepAt { sweep(at: now) }
        return reply
    }

    /// Takes charges back; returns the units that came back of each.
    mutating func refund(_ receipts: [Receipt], at now: Int64) -> [Int64] { counts.refund(receipts, at: now) }

    /// Counts a lease's time anew in all of its slots, or in none; returns whether it was held.
    mutating func renew(_ lease: Lease, at now: Int64) -> Bool {
        guard counts.renew(lease, at: now) else { return false }
        for slot in lease.slots {
            let key = CountTable.Key(slot.identity, slot.limit)
            ends[key] = max(ends[key] ?? 0, now + lease.timeToLive.wholeMicroseconds)
        }
        return true
    }

    /// Frees a lease's slots; returns whether any was held.
    mutating func release(_ lease: Lease, at now: Int64) -> Bool { counts.release(lease, at: now) > 0 }

    /// Forgets the counts of some limits.
    mutating func reset(_ identity: Identity, _ limits: [Limit]) { counts.reset(identity, limits) }

    /// Forgets what has ended.
    mutating func sweep(at now: Int64) {
        let ends = ends
        counts.sweep { key, _ in ends[key, default: 0] <= now }
        self.ends = ends.filter { counts.states[$0.key] != nil }
        sweepAt = max(1_024, 2 * counts.states.count)
    }
}
