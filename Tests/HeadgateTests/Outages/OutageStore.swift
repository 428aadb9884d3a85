import Headgate
import HeadgateTesting
import Synchronization

/// A store in memory that goes away on demand, and says how often it was asked for what.
final class OutageStore: LimitStore {
    let instances: Int
    private let memory: MemoryStore
    private let isAway = Atomic(true)
    private let asked = Mutex<[String: Int]>([:])

    static let start = StoreTime(microseconds: 1_763_782_800_000_000)

    init(instances: Int = 1, clock: ManualClock) {
        self.instances = instances
        memory = MemoryStore(clock: clock, startingAt: OutageStore.start)
    }

    /// Lets the store go, or come back.
    func set(away: Bool) { isAway.store(away, ordering: .relaxed) }

    /// How often a function was called.
    func calls(of name: String) -> Int { asked.withLock { $0[name, default: 0] } }

    private func answer(_ name: String) throws(LimiterError) {
        asked.withLock { $0[name, default: 0] += 1 }
        if isAway.load(ordering: .relaxed) { throw LimiterError(.connect, "refused") }
    }

    func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply {
        try answer("decide")
        return try await memory.decide(decisions)
    }

    func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] {
        try answer("refund")
        return try await memory.refund(receipts)
    }

    func renew(_ lease: Lease) async throws(LimiterError) {
        try answer("renew")
        try await memory.renew(lease)
    }

    func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd {
        try answer("release")
        return try await memory.release(lease)
    }

    func abandon(_ lease: Lease) { try? answer("abandon") }

    func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) {
        try answer("reset")
        try await memory.reset(identity, limits)
    }
}

extension Limiter {
    /// A limiter over a store, its shares counted by the store's clock.
    static func over(_ store: OutageStore, _ clock: ManualClock) -> Limiter {
        Limiter(store: store, clock: clock, startingAt: OutageStore.start)
    }
}
