internal import Headgate

/// A rule's limit in a tier, before it is charged to anybody.
struct PreparedLimit: Sendable, Hashable {
    let id: String
    let name: String
    let role: AppliedLimit.Role
    let outcome: Outcome

    enum Outcome: Sendable, Hashable {
        case limit(Limit)
        case unlimited
        /// The account should have brought its own limit.
        case custom
    }

    init(id: String, name: String, role: AppliedLimit.Role, outcome: Outcome) {
        self.id = id
        self.name = name
        self.role = role
        self.outcome = outcome
    }

    init(id: String, name: String, role: AppliedLimit.Role, limit: Limit?) {
        self.init(id: limit?.id ?? id, name: name, role: role, outcome: limit.map(Outcome.limit) ?? .unlimited)
    }

    /// The limit as it applies to a request.
    func applied(to request: LimitRequest, reserve: Percentage, tier: String) throws(LimiterError) -> AppliedLimit {
        switch outcome {
        case .limit(let limit):
            let charge = Charge(
                limit,
                identity: request.subject.identity,
                // A slot is a slot, whatever the request costs.
                cost: role == .concurrency ? 1 : request.cost,
                reserve: reserve.of(limit.algorithm.capacity)
            )
            return AppliedLimit(name: name, role: role, id: id, charge: charge)
        case .unlimited:
            return AppliedLimit(name: name, role: role, id: id, charge: nil)
        case .custom:
            throw LimiterError.customLimitMissing(id, tier: tier)
        }
    }
}

extension LimiterError {
    static func customLimitMissing(_ id: String, tier: String) -> LimiterError {
        LimiterError(.customLimitMissing, "the limit '\(id)' is custom in tier '\(tier)'; expected the account to have one of its own")
    }
}
