import Headgate
import HeadgateRedis

/// The requests of a workload, in an order that is the same in every run.
struct Traffic: Sendable {
    private let limiter: Limiter
    private let questions: Questions
    /// Whose turn it is, drawn beforehand so that drawing costs the measurement nothing.
    private let order: [UInt32]

    private enum Questions: Sendable {
        /// One limit, given at the call.
        case limit(Limit, [Identity])
        /// Whatever the rules say of an endpoint.
        case rules([Subject], [Endpoint])
    }

    init(_ plan: BenchPlan, store: any LimitStore) throws(LimiterError) {
        var generator = SeededGenerator(seed: 1)
        let isAlone = plan.workload == .hot || plan.workload == .denied
        let count = isAlone ? 1 : plan.subjects
        var identities: [Identity] = []
        for number in 0..<count { identities.append(try Identity(.account, "s\(number)")) }
        if let (rules, tiers) = plan.policy {
            limiter = Limiter(store: store, rules: rules)
            let subjects = identities.enumerated().map { Subject($1, tier: tiers.isEmpty ? nil : tiers[$0 % tiers.count]) }
            questions = .rules(subjects, Traffic.endpoints.flatMap { Array(repeating: $1, count: $0) }.shuffled(using: &generator))
        } else {
            limiter = Limiter(store: store)
            questions = .limit(try plan.limit(), identities)
        }
        let draws = isAlone ? 1 : 1 << 20
        if plan.workload == .zipf {
            let zipf = Zipf(count: count, exponent: 1.1)
            order = (0..<draws).map { _ in UInt32(zipf.draw(&generator)) }
        } else {
            order = (0..<draws).map { _ in UInt32.random(in: 0..<UInt32(count), using: &generator) }
        }
    }

    /// What comes how often: mostly reading, and each kind of request that the TensorOne policy tells apart.
    private static let endpoints: [(weight: Int, Endpoint)] = [
        (20, Endpoint(method: "GET", path: "/v2/clusters/c-1042")), (10, Endpoint(method: "GET", path: "/v2/clusters")),
        (12, Endpoint(method: "GET", path: "/v2/endpoints/e-7")), (8, Endpoint(method: "GET", path: "/v2/accounts/me")),
        (6, Endpoint(method: "GET", path: "/v2/training/jobs/j-19")), (20, Endpoint(method: "POST", path: "/v2/endpoints/e-7/execute")),
        (8, Endpoint(method: "POST", path: "/v2/ai/chat")), (3, Endpoint(method: "POST", path: "/v2/ai/text-to-image")),
        (2, Endpoint(method: "POST", path: "/v2/ai/text-to-speech")), (3, Endpoint(method: "PUT", path: "/v2/clusters/c-1042")),
        (2, Endpoint(method: "POST", path: "/v2/clusters")), (2, Endpoint(method: "PUT", path: "/v2/accounts/me")),
        (2, Endpoint(method: "POST", path: "/v2/training/jobs")), (1, Endpoint(method: "DELETE", path: "/v2/clusters/c-1042")),
    ]

    /// Where a caller begins in the order of requests.
    func start(ofCaller number: Int, of callers: Int) -> Int { order.count / callers * number }

    /// Sends the next request, and frees what it holds.
    func ask(_ place: inout Int) async throws(LimiterError) -> Decision {
        let subject = Int(order[place])
        let turn = place
        place = place + 1 < order.count ? place + 1 : 0
        let decision: Decision
        switch questions {
        case .limit(let limit, let identities):
            decision = try await limiter.acquire(for: identities[subject], limits: [limit])
        case .rules(let subjects, let endpoints):
            decision = try await limiter.acquire(for: subjects[subject], on: endpoints[turn % endpoints.count])
        }
        return decision
    }

    /// Frees the slots that a decision holds.
    func end(_ decision: Decision) async throws(LimiterError) {
        if let lease = decision.lease { try await limiter.release(lease) }
    }

    /// The names of all keys that the requests may have left.
    func keys(_ keySpace: KeySpace) throws(LimiterError) -> [String] {
        switch questions {
        case .limit(let limit, let identities):
            return identities.map { keySpace.key($0, limit) }
        case .rules(let subjects, _):
            var keys: Set<String> = []
            for subject in subjects {
                for (_, endpoint) in Traffic.endpoints {
                    let request = LimitRequest(subject: subject, endpoint: endpoint)
                    for charge in try limiter.rules.limits(for: request).compactMap(\.charge) {
                        keys.insert(keySpace.key(charge.identity, charge.limit))
                    }
                }
            }
            return Array(keys)
        }
    }
}
