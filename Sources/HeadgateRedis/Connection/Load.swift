internal import Headgate
internal import Synchronization

/// How much waits for Redis, over all connections of a store, and the most that may.
final class Load: Sendable {
    private let bounds: RedisConfiguration.Bounds
    private let decisionCount = Atomic<Int>(0)
    private let byteCount = Atomic<Int>(0)

    init(_ bounds: RedisConfiguration.Bounds) { self.bounds = bounds }

    /// Decisions that wait or whose answer is still owed.
    var decisions: Int { decisionCount.load(ordering: .relaxed) }

    /// Bytes of their commands.
    var bytes: Int { byteCount.load(ordering: .relaxed) }

    /// A call's share, given back when the call is gone.
    struct Share: ~Copyable, Sendable {
        private let load: Load
        private let decisions: Int
        private let bytes: Int

        fileprivate init(_ load: Load, decisions: Int, bytes: Int) {
            self.load = load
            self.decisions = decisions
            self.bytes = bytes
        }

        deinit { load.subtract(decisions: decisions, bytes: bytes) }
    }

    /// Takes a share.
    /// - Throws: ``LimiterError/Code/overloaded`` when there is no room.
    func take(decisions: Int, bytes: Int) throws(LimiterError) -> Share {
        let share = Share(self, decisions: decisions, bytes: bytes)
        // Added first and looked at afterwards, so that no race passes the bounds.
        let decisionsNow = decisionCount.wrappingAdd(decisions, ordering: .relaxed).newValue
        let bytesNow = byteCount.wrappingAdd(bytes, ordering: .relaxed).newValue
        guard decisionsNow <= bounds.decisions, bytesNow <= bounds.bytes else {
            throw LimiterError(
                .overloaded,
                "\(bounds.decisions) decisions or \(bounds.bytes) bytes wait for Redis already; more are refused"
            )
        }
        return share
    }

    private func subtract(decisions: Int, bytes: Int) {
        decisionCount.wrappingSubtract(decisions, ordering: .relaxed)
        byteCount.wrappingSubtract(bytes, ordering: .relaxed)
    }
}
