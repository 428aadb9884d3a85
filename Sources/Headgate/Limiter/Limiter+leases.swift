extension Limiter {
    /// Runs a body while holding the concurrency slots of a request, renewing them until it ends.
    ///
    /// The body runs whatever the decision says: look at it first. The slots are free when this returns; when its task is
    /// cancelled they are given back without waiting, and when its process dies they end by their time to live.
    ///
    /// - Parameters:
    ///   - cost: Units that the request takes of each counting limit.
    ///   - subject: Who asks.
    ///   - endpoint: For what.
    ///   - priority: How urgent it is.
    ///   - whenLost: Called once if the slots end before the body does: others may be at work in them now.
    ///   - body: What is done with the decision.
    /// - Returns: What the body returns.
    /// - Throws: ``LimiterError`` when the request itself is wrong, and what the body throws.
    public func withLease<Result: Sendable>(
        _ cost: Cost = .ofEndpoint,
        for subject: Subject,
        on endpoint: Endpoint,
        priority: Priority = .normal,
        whenLost: @escaping @Sendable (LimiterError) -> Void = { _ in },
        _ body: (Decision) async throws -> Result
    ) async throws -> Result {
        let decision = try await acquire(cost, for: subject, on: endpoint, priority: priority, slots: .hold)
        return try await hold(decision, whenLost: whenLost, body)
    }

    /// Runs a body while holding the concurrency slots of some limits, renewing them until it ends.
    ///
    /// - Parameters:
    ///   - cost: Units that the request takes of each counting limit.
    ///   - identity: Whose limits.
    ///   - limits: The limits, concurrency limits among them.
    ///   - whenLost: Called once if the slots end before the body does.
    ///   - body: What is done with the decision.
    /// - Returns: What the body returns.
    /// - Throws: ``LimiterError`` when the request itself is wrong, and what the body throws.
    public func withLease<Result: Sendable>(
        _ cost: Int64 = 1,
        for identity: Identity,
        limits: [Limit],
        whenLost: @escaping @Sendable (LimiterError) -> Void = { _ in },
        _ body: (Decision) async throws -> Result
    ) async throws -> Result {
        let decision = try await acquire(cost, for: identity, limits: limits, slots: .hold)
        return try await hold(decision, whenLost: whenLost, body)
    }

    private func hold<Result: Sendable>(
        _ decision: Decision,
        whenLost: @escaping @Sendable (LimiterError) -> Void,
        _ body: (Decision) async throws -> Result
    ) async throws -> Result {
        guard let lease = decision.lease else { return try await body(decision) }
        do {
            let result = try await renewing(lease, whenLost: whenLost) { try await body(decision) }
            await end(lease)
            return result
        } catch {
            await end(lease)
            throw error
        }
    }

    /// Runs a body while renewing a lease every third of its time to live; releases nothing.
    ///
    /// - Parameters:
    ///   - lease: What is renewed.
    ///   - whenLost: Called once if the lease ends before the body does, or may have ended since no renewal got through.
    ///   - body: What is done meanwhile.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    public func renewing<Result: Sendable>(
        _ lease: Lease,
        whenLost: @escaping @Sendable (LimiterError) -> Void = { _ in },
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await keepAlive(lease, whenLost: whenLost) }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private func keepAlive(_ lease: Lease, whenLost: @Sendable (LimiterError) -> Void) async {
        await keepAlive(lease, by: clock, whenLost: whenLost)
    }

    private func keepAlive<C: Clock<Duration>>(_ lease: Lease, by clock: C, whenLost: @Sendable (LimiterError) -> Void) async {
        let timeToLive = lease.timeToLive
        var renewed = clock.now
        while true {
            do { try await clock.sleep(for: timeToLive / 3) } catch { return }
            let sent = clock.now
            do throws(LimiterError) {
                try await renew(lease)
                renewed = sent
            } catch {
                if error.code == .cancelled { return }
                guard error.code == .leaseLost || renewed.duration(to: clock.now) >= timeToLive else { continue }
                return whenLost(LimiterError(.leaseLost, "the lease ended before its holder", cause: error))
            }
        }
    }

    /// Counts a lease's time to live anew.
    ///
    /// A lease that this process holds in its share of a limit stays there, also when the store is back.
    ///
    /// - Throws: ``LimiterError/Code/leaseLost`` when it has ended; another code when that is not known.
    public func renew(_ lease: Lease) async throws(LimiterError) {
        if !shares.renew(lease) { try await store.renew(lease) }
    }

    /// Frees a lease's slots.
    ///
    /// - Returns: Whether it was still held.
    /// - Throws: ``LimiterError`` when that is not known; the lease then ends by its time to live.
    @discardableResult
    public func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd {
        shares.release(lease) ? .released : try await store.release(lease)
    }

    /// Frees a lease's slots soon, without waiting.
    public func abandon(_ lease: Lease) {
        if !shares.release(lease) { store.abandon(lease) }
    }

    /// Frees a lease's slots, without waiting when the task is cancelled.
    private func end(_ lease: Lease) async {
        guard !Task.isCancelled else { return abandon(lease) }
        do { _ = try await release(lease) } catch { store.abandon(lease) }
    }
}
