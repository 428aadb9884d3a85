internal import Synchronization

/// This process's shares of limits, counted in memory while the store gives no answer.
///
/// Nothing of it ever goes into the store. A count stays until its window is over, through any number of outages; then it is forgotten.
/// Time is a clock's that never goes back.
///
/// Memory is bounded: there are at most so many counts, each of at most 65 entries of a log or as many leases as its share has slots. A
/// request that finds no room gets no verdict and is refused as unavailable: that is our own trouble and no limit's, and to let it pass
/// would lift the limits for whoever fills the table with names.
package final class LocalShares: Sendable {
    /// The most counts that are kept.
    package static let mostCounts = 65_536

    /// How long a full table is not swept again, so that refusing costs little.
    fileprivate static let sweepInterval: Int64 = 100_000

    fileprivate struct State {
        var counts = ExpiringCounts()
        var nextSweep = Int64.min
    }

    private let state = Mutex(State())
    private let currentTime: @Sendable () -> Int64
    private let mostCounts: Int

    /// Creates empty shares whose time is that of a clock, which is at an instant now.
    package init<C: Clock<Duration>>(clock: C, startingAt start: StoreTime, mostCounts: Int = LocalShares.mostCounts) {
        let origin = clock.now
        currentTime = { (start + origin.duration(to: clock.now)).microseconds }
        self.mostCounts = mostCounts
    }

    /// Judges charges against shares, atomically; nil when there is no room to count them.
    func decide(_ decision: StoreDecision) -> Verdict? {
        let now = currentTime()
        return state.withLock { state in
            guard state.hasRoom(for: decision, at: now, upTo: mostCounts) else { return nil }
            return state.counts.decide([decision], at: now).verdicts.first
        }
    }

    /// Takes charges back; returns the units that came back of each.
    func refund(_ receipts: [Receipt]) -> [Int64] {
        let now = currentTime()
        return state.withLock { $0.counts.refund(receipts, at: now) }
    }

    /// Counts a lease's time anew; returns whether it is held here.
    func renew(_ lease: Lease) -> Bool {
        let now = currentTime()
        return !lease.slots.isEmpty && state.withLock { $0.counts.renew(lease, at: now) }
    }

    /// Frees a lease's slots; returns whether it was held here.
    func release(_ lease: Lease) -> Bool {
        let now = currentTime()
        return state.withLock { $0.counts.release(lease, at: now) }
    }

    /// Forgets the counts of some limits.
    func reset(_ identity: Identity, _ limits: [Limit]) {
        state.withLock { $0.counts.reset(identity, limits) }
    }

    /// How many counts are held, ended ones that were not swept yet included.
    package var size: Int { state.withLock { $0.counts.size } }
}

extension LocalShares.State {
    /// Whether a decision's new counts find room, after a sweep if need be.
    fileprivate mutating func hasRoom(for decision: StoreDecision, at now: Int64, upTo most: Int) -> Bool {
        let new = decision.charges.filter { $0.effect == .take && !counts.holds($0) }.count
        guard new > 0, counts.size + new > most, now >= nextSweep else { return new == 0 || counts.size + new <= most }
        counts.sweep(at: now)
        nextSweep = now + LocalShares.sweepInterval
        return counts.size + new <= most
    }
}
