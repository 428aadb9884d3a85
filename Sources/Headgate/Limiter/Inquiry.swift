/// One question to the store: the limits of some requests, charged together.
struct Inquiry: Sendable {
    /// Every limit that applies, unlimited ones too.
    var applied: [AppliedLimit]
    /// What the store is asked; its charges are those of `applied` that have one, in order.
    var decision: StoreDecision
    /// Whether the request is made, or only looked at.
    var effect: Charge.Effect
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
        for (index, limit) in limits.enumerated() where limits[..<index].contains(where: { $0.id == limit.id }) {
            throw LimiterError(.badRequest, "two limits of one call share an id; expected each id once")
        }
        let applied = limits.map { limit in
            AppliedLimit(name: limit.id, role: .direct, id: limit.id, charge: Charge(limit, identity: identity, cost: cost))
        }
        return inquiry(applied, effect: effect, slots: slots)
    }

    private func inquiry(_ applied: consuming [AppliedLimit], effect: Charge.Effect, slots: SlotUse) -> Inquiry {
        var holds = false
        var charges: [Charge] = []
        charges.reserveCapacity(applied.count)
        for index in applied.indices {
            guard var charge = applied[index].charge else { continue }
            if case .concurrency = charge.limit.algorithm {
                charge.cost = 1
                charge.effect = slots == .hold ? effect : .observe
                holds = holds || (slots == .hold && effect == .take)
                applied[index].charge = charge
            } else if charge.effect != effect {
                charge.effect = effect
                applied[index].charge = charge
            }
            charges.append(charge)
        }
        let decision = StoreDecision(charges: charges, leaseID: holds ? Lease.makeID() : "")
        return Inquiry(applied: applied, decision: decision, effect: effect)
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
        let decision = try await answer(to: inquiry)
        if inquiry.effect == .take { for observer in observers { observer.observe(decision) } }
        return decision
    }

    /// Asks the store, unless it is known what it would say, and lets the failure policies answer when it does not.
    private func answer(to inquiry: Inquiry) async throws(LimiterError) -> Decision {
        if inquiry.decision.charges.isEmpty { return inquiry.decision(nil, at: nil) }
        if let (time, verdict) = store.known(inquiry.decision) { return inquiry.decision(verdict, at: time) }
        do throws(LimiterError) {
            let (time, verdict) = try await store.decide(inquiry.decision)
            return inquiry.decision(verdict, at: time)
        } catch {
            guard Limiter.isOutage(error) else { throw error }
            return inquiry.degraded(by: error, shares, among: store.instances)
        }
    }

    /// Judges inquiries in one call to the store, and tells the observers.
    func judge(_ inquiries: [Inquiry]) async throws(LimiterError) -> [Decision] {
        let decisions = try await answers(to: inquiries)
        for observer in observers {
            for (inquiry, decision) in zip(inquiries, decisions) where inquiry.effect == .take { observer.observe(decision) }
        }
        return decisions
    }

    /// Asks the store once, and lets the failure policies answer when it does not.
    private func answers(to inquiries: [Inquiry]) async throws(LimiterError) -> [Decision] {
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
                return inquiries.map { $0.degraded(by: error, shares, among: store.instances) }
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
    /// The decision that the store's verdict makes; without one every limit is unlimited.
    func decision(_ verdict: Verdict?, at time: StoreTime?) -> Decision {
        decision(verdict, on: nil, at: time, degradation: nil)
    }

    /// The decision that a verdict on some charges makes.
    ///
    /// - Parameters:
    ///   - verdict: What was judged, a reading for each charge.
    ///   - charges: For each limit that applies the charge of this process's share of it, nil where none was judged; without them, all
    ///     were judged as they are.
    ///   - time: The store's time, if it was asked.
    ///   - degradation: Why it was not the store that judged.
    /// - Returns: The decision, with what it charged.
    func decision(_ verdict: Verdict?, on charges: [Charge?]?, at time: StoreTime?, degradation: LimiterError?) -> Decision {
        var readings = (verdict?.readings ?? []).makeIterator()
        var limits: [LimitStatus] = []
        limits.reserveCapacity(applied.count)
        var receipts: [Receipt] = []
        var slots: [Lease.Slot] = []
        let allowed = verdict.map { $0.granted > 0 } ?? true
        for (index, one) in applied.enumerated() {
            let judged = if let charges { charges[index] } else { one.charge }
            guard let whole = one.charge, let charge = judged, let reading = readings.next(), reading.isJudged else {
                limits.append(LimitStatus(unjudged: one))
                continue
            }
            let share = degradation == nil ? nil : charge.limit.algorithm.capacity
            limits.append(LimitStatus(one, charge: whole, reading: reading, share: share))
            // A limit in shadow mode that had no room was not charged.
            guard allowed, charge.effect == .take, reading.fit > 0 else { continue }
            if case .concurrency = charge.limit.algorithm {
                slots.append(Lease.Slot(identity: charge.identity, limit: whole.limit))
            } else {
                receipts.append(Receipt(limit: charge.limit, identity: charge.identity, units: charge.cost, stamp: reading.stamp))
            }
        }
        return Decision(
            outcome: allowed ? .allowed : .denied,
            limits: limits,
            time: time,
            degradation: degradation,
            degradedBy: .local,
            lease: slots.isEmpty ? nil : Lease(id: decision.leaseID, slots: slots),
            receipts: receipts
        )
    }
}
