public import Headgate
internal import NIOCore

extension RedisStore {
    /// Judges independent decisions in order, at most 64 in a call of the script, all within one deadline.
    ///
    /// - Throws: ``LimiterError``; its charge is unknown when Redis may have judged some of them.
    public func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply {
        guard !decisions.isEmpty else { throw LimiterError(.badRequest, "there is no decision to make; expected 1 or more") }
        let deadline = deadline
        if calls.isCluster { return try await decideBySlots(decisions, by: deadline) }
        if decisions.count <= ScriptCall.mostDecisions { return try await decide(decisions[...], by: deadline) }
        return try await decideTogether(decisions, by: deadline)
    }

    /// Judges one decision, in a call that those of others may share.
    ///
    /// - Throws: ``LimiterError``; its charge is unknown when Redis may have judged it.
    public func decide(_ decision: StoreDecision) async throws(LimiterError) -> (time: StoreTime, verdict: Verdict) {
        guard !calls.isCluster, decision.count == 1 else {
            let reply = try await decide([decision])
            return (reply.time, reply.verdicts[0])
        }
        let sentAt = router.now
        let generation = denials?.generation
        let call = try noted { () throws(LimiterError) in try calls.call(decision, by: sentAt + TimeAmount(configuration.deadline)) }
        let reply: ScriptReply
        do { reply = try await run(call, since: sentAt) } catch {
            if error.charge == .unknown { abandonLeases(of: [decision], behind: call) }
            throw error
        }
        let verdict = reply.verdict(on: decision)
        if let denials, let generation, verdict.granted == 0 {
            denials.remember(decision, verdict, at: reply.time, sentAt: sentAt, generation: generation)
        }
        return (reply.time, verdict)
    }

    /// A denial that is remembered.
    public func known(_ decision: StoreDecision) -> (time: StoreTime, verdict: Verdict)? {
        guard let denials, !denials.isEmpty, decision.count == 1, let reply = denials.reply(to: decision, at: router.now) else {
            return nil
        }
        telemetry.answeredFromMemory(1)
        return reply
    }

    /// Judges decisions whose keys are all on one node, and in a cluster in one slot.
    func decideTogether(_ decisions: [StoreDecision], by deadline: NIODeadline) async throws(LimiterError) -> StoreReply {
        guard decisions.count > ScriptCall.mostDecisions else { return try await decide(decisions[...], by: deadline) }
        var time = StoreTime(microseconds: 0)
        var verdicts: [Verdict] = []
        for start in stride(from: 0, to: decisions.count, by: ScriptCall.mostDecisions) {
            let chunk = decisions[start..<min(start + ScriptCall.mostDecisions, decisions.count)]
            do {
                let reply = try await decide(chunk, by: deadline)
                time = reply.time
                verdicts += reply.verdicts
            } catch {
                guard start > 0 else { throw error }
                // The caller learns nothing of the decisions before, and so holds none of their leases.
                abandonLeases(of: decisions[..<start], behind: nil)
                throw error.with(.unknown)
            }
        }
        return StoreReply(time: time, verdicts: verdicts)
    }

    /// Judges at most 64 decisions: those that are known to be denied from memory, the others in one call.
    private func decide(_ decisions: ArraySlice<StoreDecision>, by deadline: NIODeadline) async throws(LimiterError) -> StoreReply {
        let sentAt = router.now
        let generation = denials?.generation
        let known = denials.flatMap { denials in
            denials.isEmpty ? nil : decisions.map { $0.count == 1 ? denials.reply(to: $0, at: sentAt) : nil }
        }
        let asked = known.map { known in ArraySlice(zip(decisions, known).filter { $0.1 == nil }.map(\.0)) } ?? decisions
        if asked.count < decisions.count { telemetry.answeredFromMemory(decisions.count - asked.count) }
        var time = known?.compactMap { $0?.time }.max() ?? StoreTime(microseconds: 0)
        var verdicts: [Verdict] = []
        if !asked.isEmpty {
            let call = try makeCall(asked, by: deadline)
            do {
                let reply = try await run(call)
                time = reply.time
                verdicts = reply.verdicts(on: asked)
            } catch {
                if error.charge == .unknown { abandonLeases(of: asked, behind: call) }
                throw error
            }
            if let denials, let generation {
                for (decision, verdict) in zip(asked, verdicts) {
                    denials.remember(decision, verdict, at: time, sentAt: sentAt, generation: generation)
                }
            }
        }
        guard let known else { return StoreReply(time: time, verdicts: verdicts) }
        var next = verdicts.makeIterator()
        return StoreReply(time: time, verdicts: known.compactMap { $0?.verdict ?? next.next() })
    }

    /// Takes charges back, each at most once.
    ///
    /// - Returns: The units that came back, one number for each receipt.
    /// - Throws: ``LimiterError`` when nothing is known to have come back.
    public func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] {
        guard !receipts.isEmpty else { return [] }
        defer { forgetDenials(receipts.map { ($0.identity, $0.limit) }) }
        guard !calls.isCluster else { return try await refundBySlots(receipts) }
        return Array(try await run(.refund(receipts, context), by: deadline).results)
    }

    /// Counts a lease's time to live anew in all of its slots, or in none.
    ///
    /// - Throws: ``LimiterError/Code/leaseLost`` when it has ended; another code when that is not known.
    public func renew(_ lease: Lease) async throws(LimiterError) {
        for part in parts(of: lease) {
            guard try await run(.renew(part, context), by: deadline).results.first != 1 else { continue }
            throw LimiterError(.leaseLost, "the lease has ended: it was released, or not renewed within its time to live")
        }
    }

    /// Frees a lease's slots.
    ///
    /// - Returns: Whether the lease was still held.
    /// - Throws: ``LimiterError`` when that is not known; the lease then ends by its time to live.
    public func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd {
        var freed: Int64 = 0
        for part in parts(of: lease) { freed += try await run(.release(part, context), by: deadline).results.first ?? 0 }
        return freed > 0 ? .released : .notHeld
    }

    /// Forgets a subject's counts of these limits.
    ///
    /// - Throws: ``LimiterError`` when they may still stand.
    public func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) {
        guard !limits.isEmpty else { return }
        defer { forgetDenials(limits.map { (identity, $0) }) }
        _ = try await run(.reset(identity, limits, context), by: deadline)
    }
}

extension RedisStore {
    /// Something may have come back: it is not to be denied from memory, here or elsewhere.
    func forgetDenials(_ counts: [(Identity, Limit)]) {
        for (identity, limit) in counts { denials?.forget(identity, limit) }
        denialWatch.gaveBack()
    }
}

// MARK: Leases of callers who have gone

extension RedisStore {
    /// How long a release that nobody waits for may wait for a connection.
    static let abandonedDeadline = TimeAmount.seconds(1)

    /// Frees a lease's slots soon, without waiting.
    ///
    /// What cannot be sent within a second ends by its time to live.
    public func abandon(_ lease: Lease) {
        for part in parts(of: lease) {
            if let call = beginRelease(of: part) { router.submit(Attempt(call)) }
        }
    }

    /// Nobody will hold the leases that these decisions may have taken.
    ///
    /// Sent behind the decision, on the same connection: Redis sees the release after it.
    func abandonLeases(of decisions: ArraySlice<StoreDecision>, behind decision: Call?) {
        for leased in decisions where !leased.leaseID.isEmpty {
            let slots = leased.charges.compactMap { charge -> Lease.Slot? in
                guard case .concurrency = charge.limit.algorithm, charge.effect == .take else { return nil }
                return Lease.Slot(identity: charge.identity, limit: charge.limit)
            }
            guard let call = beginRelease(of: Lease(id: leased.leaseID, slots: slots)) else { continue }
            router.submit(Attempt(call), behind: decision)
        }
    }

    private func beginRelease(of lease: Lease) -> Call? {
        guard !lease.slots.isEmpty,
            let call = try? makeCall(.release(lease, context), by: router.now + RedisStore.abandonedDeadline),
            call.begin(nil)
        else { return nil }
        return call
    }
}
