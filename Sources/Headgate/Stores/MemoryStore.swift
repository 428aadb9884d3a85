internal import Synchronization

/// Counts in this process alone: for tests, development, and services of one instance.
///
/// It judges exactly as the Redis script does. Counts that have ended are swept as new ones come, so memory follows the
/// number of subjects that were seen within their windows.
public final class MemoryStore: LimitStore {
    private let table = Mutex(Table())
    private let currentTime: @Sendable () -> StoreTime

    fileprivate struct Table {
        var counts = CountTable()
        /// The instant from which each key's state says nothing any more.
        var ends: [CountTable.Key: Int64] = [:]
        var sweepAt = 1_024
    }

    /// Creates a store whose time is that of a clock, starting at an instant.
    public init<C: Clock<Duration>>(clock: C = ContinuousClock(), startingAt start: StoreTime = .now) {
        let origin = clock.now
        currentTime = { start + origin.duration(to: clock.now) }
    }

    /// Judges independent decisions in order, each atomically.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when a number is out of range; nothing is charged then.
    public func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply {
        for decision in decisions { try decision.check() }
        let now = currentTime().microseconds
        return table.withLock { table in
            let reply = table.counts.decide(decisions, at: now)
            for (decision, verdict) in zip(decisions, reply.verdicts) {
                for (charge, reading) in zip(decision.charges, verdict.readings) where charge.effect == .take {
                    let key = CountTable.Key(charge.identity, charge.limit)
                    table.ends[key] = table.counts.states[key] == nil ? nil : now + reading.full
                }
            }
            table.sweepIfLarge(at: now)
            return reply
        }
    }

    /// Takes charges back.
    public func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] {
        let now = currentTime().microseconds
        return table.withLock { $0.counts.refund(receipts, at: now) }
    }

    /// Counts a lease's time to live anew.
    /// - Throws: ``LimiterError/Code/leaseLost`` when it has ended.
    public func renew(_ lease: Lease) async throws(LimiterError) {
        let now = currentTime().microseconds
        let held = table.withLock { table in
            guard table.counts.renew(lease, at: now) else { return false }
            for slot in lease.slots {
                let key = CountTable.Key(slot.identity, slot.limit)
                table.ends[key] = max(table.ends[key] ?? 0, now + lease.timeToLive.wholeMicroseconds)
            }
            return true
        }
        guard held else { throw LimiterError(.leaseLost, "the lease has ended") }
    }

    /// Frees a lease's slots.
    public func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd { end(lease) }

    /// Frees a lease's slots at once.
    public func abandon(_ lease: Lease) { _ = end(lease) }

    /// Forgets a subject's counts of these limits.
    public func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) {
        table.withLock { $0.counts.reset(identity, limits) }
    }

    /// How many counts are held, ended ones that were not swept yet included.
    package var size: Int { table.withLock { max($0.counts.states.count, $0.ends.count) } }

    private func end(_ lease: Lease) -> LeaseEnd {
        let now = currentTime().microseconds
        return table.withLock { $0.counts.release(lease, at: now) > 0 } ? .released : .notHeld
    }
}

extension MemoryStore.Table {
    /// Sweeps when the table has doubled since the last sweep, so that the work is a constant per decision.
    mutating func sweepIfLarge(at now: Int64) {
        guard max(counts.states.count, ends.count) > sweepAt else { return }
        let ends = ends
        counts.sweep { key, _ in ends[key, default: 0] <= now }
        self.ends = ends.filter { counts.states[$0.key] != nil }
        sweepAt = max(1_024, 2 * counts.states.count)
    }
}
