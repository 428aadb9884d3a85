internal import Synchronization

/// Counts in this process alone: for tests, development, and services of one instance.
///
/// It judges exactly as the Redis script does. Counts that have ended are swept as new ones come, so memory follows the
/// number of subjects that were seen within their windows.
public final class MemoryStore: LimitStore {
    private let counts = Mutex(ExpiringCounts())
    private let currentTime: @Sendable () -> StoreTime

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
        return counts.withLock { $0.decide(decisions, at: now) }
    }

    /// Takes charges back.
    public func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] {
        let now = currentTime().microseconds
        return counts.withLock { $0.refund(receipts, at: now) }
    }

    /// Counts a lease's time to live anew.
    /// - Throws: ``LimiterError/Code/leaseLost`` when it has ended.
    public func renew(_ lease: Lease) async throws(LimiterError) {
        let now = currentTime().microseconds
        guard counts.withLock({ $0.renew(lease, at: now) }) else { throw LimiterError(.leaseLost, "the lease has ended") }
    }

    /// Frees a lease's slots.
    public func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd { end(lease) }

    /// Frees a lease's slots at once.
    public func abandon(_ lease: Lease) { _ = end(lease) }

    /// Forgets a subject's counts of these limits.
    public func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) {
        counts.withLock { $0.reset(identity, limits) }
    }

    /// How many counts are held, ended ones that were not swept yet included.
    package var size: Int { counts.withLock { $0.size } }

    private func end(_ lease: Lease) -> LeaseEnd {
        let now = currentTime().microseconds
        return counts.withLock { $0.release(lease, at: now) } ? .released : .notHeld
    }
}
