import Headgate
import HeadgateTesting
import Synchronization

extension Identity {
    /// The identity that most tests use.
    static func acme() throws -> Identity { try Identity(.account, "acme") }
}

/// A store that gives no answer, and says how often it was asked.
final class BrokenStore: LimitStore {
    let error: LimiterError
    let calls = Atomic(0)

    init(_ error: LimiterError) { self.error = error }

    func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply {
        calls.add(1, ordering: .relaxed)
        throw error
    }
    func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] { throw error }
    func renew(_ lease: Lease) async throws(LimiterError) { throw error }
    func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd { throw error }
    func abandon(_ lease: Lease) {}
    func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) { throw error }
}

/// Rules that give every request the same limits.
struct SameLimits: RuleSet {
    var limits: [AppliedLimit]

    func limits(for request: LimitRequest) throws(LimiterError) -> [AppliedLimit] {
        limits.map { limit in
            var limit = limit
            limit.charge?.identity = request.subject.identity
            limit.charge?.cost = request.cost.units()
            return limit
        }
    }
}

extension AppliedLimit {
    /// An applied limit as a policy would make it.
    static func rule(_ limit: Limit, role: Role = .operationClass) throws -> AppliedLimit {
        AppliedLimit(name: limit.id, role: role, id: limit.id, charge: Charge(limit, identity: try .acme()))
    }
}

/// What several tasks did, in order.
final class Record: Sendable {
    private let entries = Mutex<[Int]>([])

    var all: [Int] { entries.withLock { $0 } }
    func append(_ entry: Int) { entries.withLock { $0.append(entry) } }
}
