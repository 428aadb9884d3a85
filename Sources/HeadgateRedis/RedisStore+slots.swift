internal import Headgate
internal import NIOCore

/// In a cluster one call has one slot. Decisions of different slots are asked for at the same time; a decision whose limits lie
/// in several slots is made in steps, and what the first steps charged comes back when a later one denies.
extension RedisStore {
    /// Judges decisions, each in the slots of its own keys.
    func decideBySlots(_ decisions: [StoreDecision], by deadline: NIODeadline) async throws(LimiterError) -> StoreReply {
        // Nearly all calls are of one subject.
        if let slots = decisions.slots, slots.count <= 1 { return try await decideTogether(decisions, by: deadline) }
        var groups: [[Int]] = []
        var places: [Int: Int] = [:]
        for (index, decision) in decisions.enumerated() {
            guard let slot = decision.onlySlot else {
                groups.append([index])
                continue
            }
            if let place = places[slot] {
                groups[place].append(index)
            } else {
                places[slot] = groups.count
                groups.append([index])
            }
        }
        return try await decide(decisions, in: groups, by: deadline)
    }

    private func decide(_ decisions: [StoreDecision], in groups: [[Int]], by deadline: NIODeadline) async throws(LimiterError) -> StoreReply
    {
        typealias Answer = (group: [Int], result: Result<StoreReply, LimiterError>)
        let answers = await withTaskGroup(of: Answer.self) { tasks in
            for group in groups {
                let asked = group.map { decisions[$0] }
                tasks.addTask { (group, await self.result(of: asked, by: deadline)) }
            }
            return await tasks.reduce(into: [Answer]()) { $0.append($1) }
        }
        var verdicts = [Verdict?](repeating: nil, count: decisions.count)
        var time = StoreTime(microseconds: 0)
        var failure: LimiterError?
        for (group, result) in answers {
            switch result {
            case .success(let reply):
                time = max(time, reply.time)
                for (index, verdict) in zip(group, reply.verdicts) { verdicts[index] = verdict }
            case .failure(let error):
                // What may have been charged is more to know than what was not.
                if failure == nil || error.charge == .unknown { failure = error }
            }
        }
        if let failure {
            // The caller learns nothing of the others, and so holds none of their leases.
            let judged = verdicts.indices.filter { verdicts[$0] != nil }
            abandonLeases(of: ArraySlice(judged.map { decisions[$0] }), behind: nil)
            throw judged.isEmpty ? failure : failure.with(.unknown)
        }
        return StoreReply(time: time, verdicts: verdicts.compactMap(\.self))
    }

    private func result(of decisions: [StoreDecision], by deadline: NIODeadline) async -> Result<StoreReply, LimiterError> {
        do throws(LimiterError) {
            if decisions.count == 1, decisions[0].onlySlot == nil, !decisions[0].charges.isEmpty {
                return .success(try await decideInSteps(decisions[0], by: deadline))
            }
            return .success(try await decideTogether(decisions, by: deadline))
        } catch {
            return .failure(error)
        }
    }

    /// Judges one decision slot by slot, in the order of its charges.
    private func decideInSteps(_ decision: StoreDecision, by deadline: NIODeadline) async throws(LimiterError) -> StoreReply {
        // A step that is known to deny would only have the others charge and take back.
        if decision.count == 1, let known = denials?.reply(to: decision, at: router.now) {
            telemetry.answeredFromMemory(1)
            return StoreReply(time: known.time, verdicts: [known.verdict])
        }
        var time = StoreTime(microseconds: 0)
        var readings = [Reading?](repeating: nil, count: decision.charges.count)
        var steps: [(indices: [Int], granted: Int64)] = []
        var granted = decision.count
        do {
            for indices in decision.charges.indicesBySlot {
                var step = StoreDecision(charges: indices.map { decision.charges[$0] }, count: max(granted, 1), leaseID: decision.leaseID)
                // What is denied already is only looked at.
                if granted == 0 { for index in step.charges.indices { step.charges[index].effect = .observe } }
                let reply = try await decideTogether([step], by: deadline)
                time = max(time, reply.time)
                let verdict = reply.verdicts[0]
                for (index, reading) in zip(indices, verdict.readings) { readings[index] = reading }
                if granted > 0 {
                    steps.append((indices, verdict.granted))
                    granted = min(granted, verdict.granted)
                }
            }
        } catch {
            takeBack(decision, steps, keeping: 0, readings)
            throw steps.isEmpty ? error : error.with(.unknown)
        }
        takeBack(decision, steps, keeping: granted, readings)
        for (indices, taken) in steps where taken > granted {
            for index in indices {
                readings[index]?.give(back: (taken - granted) * decision.charges[index].cost, to: decision.charges[index])
            }
        }
        return StoreReply(time: time, verdicts: [Verdict(granted: granted, readings: readings.compactMap(\.self))])
    }

    /// Sends back what steps charged beyond what all of them granted; nobody waits for it.
    private func takeBack(
        _ decision: StoreDecision,
        _ steps: [(indices: [Int], granted: Int64)],
        keeping granted: Int64,
        _ readings: [Reading?]
    ) {
        for (indices, taken) in steps where taken > granted {
            var receipts: [Receipt] = []
            var slots: [Lease.Slot] = []
            for index in indices {
                let charge = decision.charges[index]
                guard charge.effect == .take, let reading = readings[index], reading.fit > 0 else { continue }
                if case .concurrency = charge.limit.algorithm {
                    if granted == 0 { slots.append(Lease.Slot(identity: charge.identity, limit: charge.limit)) }
                } else {
                    let units = (min(taken, reading.fit) - min(granted, reading.fit)) * charge.cost
                    receipts.append(Receipt(limit: charge.limit, identity: charge.identity, units: units, stamp: reading.stamp))
                }
            }
            send(receipts)
            abandon(Lease(id: decision.leaseID, slots: slots))
        }
    }

    /// Whoever was denied because of these charges may ask again once they are back.
    private func send(_ receipts: [Receipt]) {
        guard !receipts.isEmpty, let call = try? makeCall(.refund(receipts, context), by: router.now + RedisStore.abandonedDeadline),
            call.begin({ _ in self.forgetDenials(receipts.map { ($0.identity, $0.limit) }) })
        else { return }
        router.submit(Attempt(call))
    }

    /// Takes charges back, each in its own slot.
    func refundBySlots(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] {
        var returned = [Int64](repeating: 0, count: receipts.count)
        var isBegun = false
        for indices in receipts.map(\.identity).indicesBySlot {
            do {
                let units = try await run(.refund(indices.map { receipts[$0] }, context), by: deadline).results
                for (index, units) in zip(indices, units) { returned[index] = units }
                isBegun = true
            } catch {
                throw isBegun ? error.with(.unknown) : error
            }
        }
        return returned
    }

    /// A lease's slots by the calls that it takes to reach them.
    func parts(of lease: Lease) -> [Lease] {
        guard !lease.slots.isEmpty else { return [] }
        guard calls.isCluster else { return [lease] }
        return lease.slots.map(\.identity).indicesBySlot.map { indices in Lease(id: lease.id, slots: indices.map { lease.slots[$0] }) }
    }
}

extension Identity {
    /// The slot of all of its keys.
    fileprivate var hashSlot: Int { HashSlot.of("{\(tag)}") }
}

extension StoreDecision {
    /// The slot of its keys, when there is one and no other.
    fileprivate var onlySlot: Int? {
        guard let first = charges.first else { return nil }
        let slot = first.identity.hashSlot
        return charges.dropFirst().allSatisfy { $0.identity == first.identity || $0.identity.hashSlot == slot } ? slot : nil
    }
}

extension [StoreDecision] {
    /// The slots of all of them; `nil` when one has several.
    fileprivate var slots: Set<Int>? {
        var slots: Set<Int> = []
        for decision in self where !decision.charges.isEmpty {
            guard let slot = decision.onlySlot else { return nil }
            slots.insert(slot)
        }
        return slots
    }
}

extension [Charge] {
    fileprivate var indicesBySlot: [[Int]] { map(\.identity).indicesBySlot }
}

extension [Identity] {
    /// The places of those that share a slot, in the order in which the slots come up.
    fileprivate var indicesBySlot: [[Int]] {
        var groups: [(slot: Int, indices: [Int])] = []
        for (index, identity) in enumerated() {
            let slot = identity.hashSlot
            if let group = groups.firstIndex(where: { $0.slot == slot }) {
                groups[group].indices.append(index)
            } else {
                groups.append((slot, [index]))
            }
        }
        return groups.map(\.indices)
    }
}

extension Reading {
    /// What the limit says once units that a later step denied have come back.
    fileprivate mutating func give(back units: Int64, to charge: Charge) {
        guard charge.effect == .take, fit > 0 else { return }
        remaining = min(charge.limit.algorithm.capacity, remaining + units)
    }
}
