extension Limiter {
    /// How many callers wait in this process, in all lines; the first of a line is counted too.
    package var waitingCallers: Int { line.count }

    /// Charges a request as soon as its limits have room, waiting up to a given time for it.
    ///
    /// Sleeps for the time that the store gave, so it asks seldom. Within a process, callers for the same subject and limits are
    /// served first come first served; a wait is given up as soon as it is known to be too long.
    ///
    /// - Returns: The decision of the last attempt; denied when the request would not have fitted in time.
    /// - Throws: ``LimiterError`` when the request itself is wrong, the task is cancelled, or too many callers wait. The error's
    ///   ``LimiterError/charge`` says whether a call that had left may have been charged.
    public func acquire(
        _ cost: Cost = .ofEndpoint,
        for subject: Subject,
        on endpoint: Endpoint,
        priority: Priority = .normal,
        slots: SlotUse = .hold,
        waitingAtMost longest: Duration
    ) async throws(LimiterError) -> Decision {
        let request = LimitRequest(subject: subject, endpoint: endpoint, cost: cost, priority: priority)
        return try await wait(try inquiry([request], effect: .take, slots: slots), atMost: longest, by: clock)
    }

    /// Charges a request as soon as all of some limits have room, waiting up to a given time for it.
    ///
    /// - Returns: The decision of the last attempt; denied when the request would not have fitted in time.
    /// - Throws: ``LimiterError`` when the request itself is wrong, the task is cancelled, or too many callers wait. The error's
    ///   ``LimiterError/charge`` says whether a call that had left may have been charged.
    public func acquire(
        _ cost: Int64 = 1,
        for identity: Identity,
        limits: [Limit],
        slots: SlotUse = .hold,
        waitingAtMost longest: Duration
    ) async throws(LimiterError) -> Decision {
        try await wait(try inquiry(cost, identity, limits, effect: .take, slots: slots), atMost: longest, by: clock)
    }

    private func wait<C: Clock<Duration>>(
        _ inquiry: Inquiry,
        atMost longest: Duration,
        by clock: C
    ) async throws(LimiterError) -> Decision {
        let deadline = clock.now.advanced(by: longest)
        let key = WaitingLine.Key(limits: inquiry.decision.charges.map { "\($0.identity.tag) \($0.limit.id)" }.sorted())
        let place = try line.enter(key)
        defer { line.leave(key, place) }
        guard try await isTurn(of: place, by: deadline, clock) else { return try await lastWord(on: inquiry) }
        while true {
            let decision = try await judge(inquiry)
            guard let wait = nextAttempt(after: decision), clock.now.advanced(by: wait) <= deadline else { return decision }
            do { try await clock.sleep(for: wait) } catch {
                throw LimiterError(.cancelled, "the task was cancelled while it waited for a limit")
            }
        }
    }

    /// Waits for a place's turn; false when the deadline comes first.
    private func isTurn<C: Clock<Duration>>(
        of place: WaitingLine.Place,
        by deadline: C.Instant,
        _ clock: C
    ) async throws(LimiterError) -> Bool {
        guard !place.hasTurn else { return true }
        let line = line
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await line.turn(of: place) }
            group.addTask { try? await clock.sleep(until: deadline, tolerance: nil) }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { throw LimiterError(.cancelled, "the task was cancelled while it waited for its turn") }
        return place.hasTurn
    }

    /// The time to the next attempt; nil when no attempt is worth while.
    private func nextAttempt(after decision: Decision) -> Duration? {
        guard let wait = decision.retryAfter else { return nil }
        // A slot may come back at any moment, so its wait is a guess: look more often.
        return decision.bindingLimit?.algorithm == .concurrency ? min(wait, .milliseconds(50)) : wait
    }

    /// The denial of a request whose turn did not come in time: what the limits say now, without charging.
    private func lastWord(on inquiry: Inquiry) async throws(LimiterError) -> Decision {
        var looking = inquiry
        for index in looking.applied.indices { looking.applied[index].charge?.effect = .observe }
        looking.decision.charges = looking.applied.compactMap(\.charge)
        looking.effect = .observe
        let decision = try await judge(looking)
        // Nothing but a count keeps others ahead: what passes uncounted passes.
        guard decision.isAllowed, decision.degradedBy == nil || decision.degradedBy == .local,
            let binding = decision.bindingIndex ?? decision.limits.firstIndex(where: { $0.verdict == .allowed })
        else { return decision }
        // There is room, but it belongs to those ahead: the limit that is closest to its end says when to ask again.
        var limits = decision.limits
        let wait = max(limits[binding].nextUnit, LimitStatus.longestGuess)
        limits[binding] = limits[binding].denied(for: decision.isDegraded ? LimitStatus.longestGuess : wait)
        return Decision(
            outcome: .denied,
            limits: limits,
            time: decision.time,
            degradation: decision.degradation,
            degradedBy: decision.degradedBy
        )
    }
}
