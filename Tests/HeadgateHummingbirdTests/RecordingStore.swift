import Headgate
import Synchronization

/// A memory store that tells what happened to leases, and can be away.
final class RecordingStore: LimitStore {
    enum Event: Equatable { case took, renewed, released, abandoned }

    private let memory = MemoryStore()
    private let recorded = Mutex<[Event]>([])
    private let outage: LimiterError?

    init(outage: LimiterError? = nil) { self.outage = outage }

    var events: [Event] { recorded.withLock { $0 } }

    func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply {
        if let outage { throw outage }
        if decisions.contains(where: { !$0.leaseID.isEmpty }) { record(.took) }
        return try await memory.decide(decisions)
    }

    func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] { try await memory.refund(receipts) }

    func renew(_ lease: Lease) async throws(LimiterError) {
        try await memory.renew(lease)
        record(.renewed)
    }

    func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd {
        record(.released)
        return try await memory.release(lease)
    }

    func abandon(_ lease: Lease) {
        record(.abandoned)
        memory.abandon(lease)
    }

    func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) { try await memory.reset(identity, limits) }

    private func record(_ event: Event) { recorded.withLock { $0.append(event) } }
}

/// Rules that give every request the same limits.
struct SameRules: RuleSet {
    var limits: [Limit]

    func limits(for request: LimitRequest) throws(LimiterError) -> [AppliedLimit] {
        if let tier = request.subject.tier, tier != "pro" { throw LimiterError(.unknownTier, "there is no tier \(tier)") }
        return limits.map { limit in
            let role: AppliedLimit.Role = limit.algorithm.name == .concurrency ? .concurrency : .operationClass
            let charge = Charge(limit, identity: request.subject.identity, cost: request.cost.units())
            return AppliedLimit(name: limit.id, role: role, id: limit.id, charge: charge)
        }
    }
}
