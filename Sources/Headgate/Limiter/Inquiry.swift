/// One question to the store: the limits of some requests, charged together.
struct Inquiry: Sendable {
    /// Every limit that applies, unlimited ones too.
    var applied: [AppliedLimit]
    /// What the store is asked; its charges are those of `applied` that have one, in order.
    var decision: StoreDecision
}

extension Limiter {
    /// The question that some requests make by the rules.
    func inquiry(_ requests: [LimitRequest], effect: Charge.Effect, slots: SlotUse) throws(LimiterError) -> Inquiry {
        guard !requests.isEmpty else { throw LimiterError(.badRequest, "there is no request; expected 1 or more") }
        var applied: [AppliedLimit] = []
        for request in requests {
            if case .units(let cost) = request.cost { try check(cost: cost) }
            try add(try rules.limits(for: request), to: &applied)
        }
        return inquiry(applied, effect: effect, slots: slots)
    }

    /// The question that limits given at the call make.
    func inquiry(
        _ cost: Int64,
        _ identity: Identity,
        _ limits: [Limit],
        effect: Charge.Effect,
        slots: SlotUse
    ) throws(LimiterError) -> Inquiry {
        try check(cost: cost)
        guard Set(limits.map(\.id)).count == limits.count else {
            throw LimiterError(.badRequest, "two limits of one call share an id; expected each id once")
        }
        let applied = limits.map { limit in
            AppliedLimit(name: limit.id, role: .direct, id: limit.id, charge: Charge(limit, identity: identity, cost: cost))
        }
        return inquiry(applied, effect: effect, slots: slots)
    }

    private func inquiry(_ applied: [AppliedLimit], effect: Charge.Effect, slots: SlotUse) -> Inquiry {
        var applied = applied
        var holds = false
        for index in applied.indices {
            guard let charge = applied[index].charge else { continue }
            if case .concurrency = charge.limit.algorithm {
                applied[index].charge?.cost = 1
                applied[index].charge?.effect = slots == .hold ? effect : .observe
                holds = holds || (slots == .hold && effect == .take)
            } else {
                applied[index].charge?.effect = effect
            }
        }
        let decision = StoreDecision(charges: applied.compactMap(\.charge), leaseID: holds ? Lease.makeID() : "")
        return Inquiry(applied: applied, decision: decision)
    }

    /// Adds the limits of one more request; one that is there already takes the costs of both.
    private func add(_ more: [AppliedLimit], to applied: inout [AppliedLimit]) throws(LimiterError) {
        for limit in more {
            let same = applied.firstIndex {
                $0.id == limit.id && $0.charge?.limit.id == limit.charge?.limit.id && $0.charge?.identity == limit.charge?.identity
                    && $0.charge?.limit.algorithm.name == limit.charge?.limit.algorithm.name
            }
            guard let same else {
                applied.append(limit)
                continue
            }
            guard let charge = limit.charge else { continue }
            let reserve = max(charge.reserve, applied[same].charge?.reserve ?? 0)
            applied[same].charge?.cost += charge.cost
            applied[same].charge?.reserve = reserve
        }
    }

    private func check(cost: Int64) throws(LimiterError) {
        guard cost >= 1, cost <= Algorithm.mostUnits else {
            throw LimiterError(.badRequest, "cost is \(cost); expected 1 to \(Algorithm.mostUnits), or a peek, which takes nothing")
        }
    }
}

extension Limiter {
    /// Judges limits that the rules gave before, without charging anything.
    ///
    /// - Throws: ``LimiterError`` when the task is cancelled.
    package func peek(applied: [AppliedLimit]) async throws(LimiterError) -> Decision {
        try await judge(inquiry(applied, effect: .observe, slots: .observe))
    }

    func judge(_ inquiry: Inquiry) async throws(LimiterError) -> Decision {
        let decisions = try await judge([inquiry])
        guard let decision = decisions.first else {
            throw LimiterError(.wireProtocol, "the store gave no verdict", charge: .unknown)
        }
        return decision
    }

    /// Asks the store once, and lets the failure policies answer when it does not.
    func judge(_ inquiries: [Inquiry]) async throws(LimiterError) -> [Decision] {
        let asked = inquiries.filter { !$0.decision.charges.isEmpty }
        var verdicts: [Verdict] = []
        var time: StoreTime?
        if !asked.isEmpty {
            do throws(LimiterError) {
                let reply = try await store.decide(asked.map(\.decision))
                guard reply.verdicts.count == asked.count else {
                    throw LimiterError(
                        .wireProtocol,
                        "the store gave \(reply.verdicts.count) verdicts for \(asked.count)",
                        charge: .unknown
                    )
                }
                verdicts = reply.verdicts.reversed()
                time = reply.time
            } catch {
                guard Limiter.isOutage(error) else { throw error }
                return inquiries.map { $0.degraded(by: error) }
            }
        }
        var decisions: [Decision] = []
        for inquiry in inquiries {
            let verdict = inquiry.decision.charges.isEmpty ? nil : verdicts.popLast()
            decisions.append(inquiry.decision(verdict, at: verdict == nil ? nil : time))
        }
        return decisions
    }

    /// Whether an error is the store's trouble, which the failure policies answer, and not the caller's.
    private static func isOutage(_ error: LimiterError) -> Bool {
        error.code != .cancelled && error.code != .badRequest && error.code != .invalidLimit
    }
}

extension Inquiry {
    /// The decision that a verdict makes; without one every limit is unlimited.
    func decision(_ verdict: Verdict?, at time: StoreTime?) -> Decision {
        var readings = (verdict?.readings ?? []).makeIterator()
        var limits: [LimitStatus] = []
        var receipts: [Receipt] = []
        var slots: [Lease.Slot] = []
        let allowed = verdict.map { $0.granted > 0 } ?? true
        for one in applied {
            guard let charge = one.charge, let reading = readings.next() else {
                limits.append(LimitStatus(unjudged: one))
                continue
            }
            limits.append(LimitStatus(one, charge: charge, reading: reading))
            // A limit in shadow mode that had no room was not charged.
            guard allowed, charge.effect == .take, reading.fit > 0 else { continue }
            if case .concurrency = charge.limit.algorithm {
                slots.append(Lease.Slot(identity: charge.identity, limit: charge.limit))
            } else {
                receipts.append(Receipt(limit: charge.limit, identity: charge.identity, units: charge.cost, stamp: reading.stamp))
            }
        }
        return Decision(
            outcome: allowed ? .allowed : .denied,
            limits: limits,
            time: time,
            lease: slots.isEmpty ? nil : Lease(id: decision.leaseID, slots: slots),
            receipts: receipts
        )
    }

    /// The decision that the failure policies make.
    ///
    /// What no count would allow is denied all the same: a key that may not write does not begin to when Redis is away.
    func degraded(by error: LimiterError) -> Decision {
        guard !decision.charges.isEmpty else { return decision(nil, at: nil) }
        let enforced = decision.charges.filter { $0.limit.mode == .enforced }
        let policy = FailurePolicy.strictest(enforced.map(\.limit.onRedisFailure))
        return Decision(
            outcome: enforced.contains(where: \.isImpossible) ? .denied : policy == .open ? .allowed : .unavailable,
            limits: applied.map { LimitStatus(unjudged: $0) },
            time: nil,
            degradation: error
        )
    }
}
