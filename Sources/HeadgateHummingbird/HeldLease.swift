import Headgate
import Synchronization

/// A lease that is given back exactly once: by its release, or by the end of its last reference.
///
/// The latter is what happens to a response that nobody writes, because its connection died or a middleware replaced it.
final class HeldLease: Sendable {
    private let lease: Lease
    private let limiter: Limiter
    private let hasEnded = Atomic(false)

    init(_ lease: Lease, of limiter: Limiter) {
        self.lease = lease
        self.limiter = limiter
    }

    deinit {
        if !hasEnded.load(ordering: .relaxed) { limiter.abandon(lease) }
    }

    /// Runs a body while renewing the lease.
    func renewing<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        try await limiter.renewing(lease, body)
    }

    /// Gives the slots back; without waiting when the task is cancelled, since nothing can be awaited then.
    func release() async {
        guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
        guard !Task.isCancelled else { return limiter.abandon(lease) }
        do { try await limiter.release(lease) } catch { limiter.abandon(lease) }
    }
}
