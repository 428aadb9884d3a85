extension Inquiry {
    /// The decision that the failure policies make when the store gives no answer.
    ///
    /// What no count would allow is denied all the same: a key that may not write does not begin to when Redis is away.
    func degraded(by error: LimiterError, _ shares: LocalShares, among instances: Int) -> Decision {
        guard !decision.charges.isEmpty else { return decision(nil, at: nil) }
        let enforced = decision.charges.filter { $0.limit.mode == .enforced }
        let policy = FailurePolicy.strictest(enforced.map(\.limit.onRedisFailure))
        guard !enforced.contains(where: \.isImpossible) else { return unjudged(.denied, error, by: policy) }
        switch policy {
        case .open: return unjudged(.allowed, error, by: policy)
        case .closed: return unjudged(.unavailable, error, by: policy)
        case .local: return judged(by: shares, among: instances, error)
        }
    }

    private func unjudged(_ outcome: Decision.Outcome, _ error: LimiterError, by policy: FailurePolicy) -> Decision {
        Decision(outcome: outcome, limits: applied.map { LimitStatus(unjudged: $0) }, time: nil, degradation: error, degradedBy: policy)
    }

    /// The decision that this process's shares make of the enforced limits that ask for it, together.
    private func judged(by shares: LocalShares, among instances: Int, _ error: LimiterError) -> Decision {
        let charges = applied.map { $0.charge.flatMap { $0.isCountedLocally ? $0.share(among: instances) : nil } }
        guard let verdict = shares.decide(StoreDecision(charges: charges.compactMap(\.self), leaseID: decision.leaseID)) else {
            let full = "this process has no room to count another subject without the store"
            return unjudged(.unavailable, LimiterError(.overloaded, full, charge: error.charge, cause: error), by: .local)
        }
        return decision(verdict, on: charges, at: nil, degradation: error)
    }
}

extension Charge {
    /// Whether this process keeps a share of the limit when the store is away.
    fileprivate var isCountedLocally: Bool { limit.mode == .enforced && limit.onRedisFailure == .local }
}
