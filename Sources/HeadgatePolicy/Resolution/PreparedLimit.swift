internal import Headgate

/// A rule's limit in a tier, before it is charged to anybody.
struct PreparedLimit: Sendable, Hashable {
    let id: String
    let name: String
    let role: AppliedLimit.Role
    let outcome: Outcome
    let scope: LimitRule.Scope

    enum Outcome: Sendable, Hashable {
        case limit(Limit)
        case unlimited
        /// The account should have brought its own limit.
        case custom
    }

    init(id: String, name: String, role: AppliedLimit.Role, outcome: Outcome, scope: LimitRule.Scope = .account) {
        self.scope = scope
        self.id = id
        self.name = name
        self.role = role
        self.outcome = outcome
    }

    init(id: String, name: String, role: AppliedLimit.Role, limit: Limit?, scope: LimitRule.Scope = .account) {
        self.init(id: limit?.id ?? id, name: name, role: role, outcome: limit.map(Outcome.limit) ?? .unlimited, scope: scope)
    }

    /// The limit as it applies to a request.
    func applied(to subject: Subject, cost: Int64, reserve: Percentage, tier: String) throws(LimiterError) -> AppliedLimit {
        switch outcome {
        case .limit(let rule):
            let (limit, identity) = try counted(rule, for: subject)
            let charge = Charge(
                limit,
                identity: identity,
                // A slot is a slot, whatever the request costs.
                cost: role == .concurrency ? 1 : cost,
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

extension PreparedLimit {
    /// The limit and the identity under which a subject's requests are counted.
    ///
    /// A key's count stands with its account's, so that all of them are judged in one call on one slot.
    private func counted(_ limit: Limit, for subject: Subject) throws(LimiterError) -> (Limit, Identity) {
        switch scope {
        case .account:
            return (limit, subject.identity)
        case .key:
            guard let key = subject.key else { return (limit, subject.identity) }
            let name = try Identity(.key, key).tag.dropFirst(2)
            let id = "\(limit.id)~\(name)"
            return (try Limit(id, limit.algorithm, onRedisFailure: limit.onRedisFailure, mode: limit.mode), subject.identity)
        case .address:
            return (limit, subject.address ?? subject.identity)
        case .global:
            return (limit, try Identity(.global, "all"))
        }
    }
}

extension LimiterError {
    static func customLimitMissing(_ id: String, tier: String) -> LimiterError {
        LimiterError(.customLimitMissing, "the limit '\(id)' is custom in tier '\(tier)'; expected the account to have one of its own")
    }
}
