/// Decides whether requests may go on: maps them to limits, asks the store, and answers with a ``Decision``.
///
/// A value that any number of tasks share. All instances whose stores share a Redis share one count.
///
/// A denial is not an error. When the store gives no answer within its deadline, the limits' ``FailurePolicy`` decides, and
/// the decision says so. Copies of a limiter keep the shares of ``FailurePolicy/local`` together: create one per process.
public struct Limiter: Sendable {
    /// Where counts live.
    public let store: any LimitStore

    /// What maps requests to limits.
    public let rules: any RuleSet

    /// By what waiting and lease renewal are timed, and shares are counted; never by what the store judges.
    let clock: any Clock<Duration>

    /// What this process counts of limits with ``FailurePolicy/local`` while the store is away.
    let shares: LocalShares

    /// Who is told of decisions.
    let observers: [any DecisionObserver]

    let line = WaitingLine()

    /// Creates a limiter.
    ///
    /// - Parameters:
    ///   - store: Where counts live; a `RedisStore` has to be running to answer.
    ///   - rules: What maps requests to limits; without them, limits are given at each call.
    ///   - clock: The clock that waits and renews, and that shares of limits are counted by while the store is away.
    ///   - start: What the clock's now is on the calendar; it places the aligned windows of shares.
    ///   - observers: Who is told of every decision.
    public init(
        store: any LimitStore,
        rules: any RuleSet = NoRules(),
        clock: any Clock<Duration> = ContinuousClock(),
        startingAt start: StoreTime = .now,
        observers: [any DecisionObserver] = []
    ) {
        let shares = LocalShares(clock: clock, startingAt: start)
        self.init(store: store, rules: rules, clock: clock, shares: shares, observers: observers)
    }

    /// Creates a limiter with shares that a test made.
    package init(
        store: any LimitStore,
        rules: any RuleSet = NoRules(),
        clock: any Clock<Duration>,
        shares: LocalShares,
        observers: [any DecisionObserver] = []
    ) {
        self.observers = observers
        self.store = store
        self.rules = rules
        self.clock = clock
        self.shares = shares
    }

    /// How many counts of shares this process keeps, ended ones that were not swept yet included.
    package var localCounts: Int { shares.size }

    /// Whether a request takes the slots of concurrency limits.
    public enum SlotUse: Sendable, Hashable {
        /// It holds them: the decision brings a lease that its receiver renews and releases.
        case hold
        /// It only looks at them, there being no end of the request to release at.
        case observe
    }
}

// MARK: By the rules

extension Limiter {
    /// Charges a request to every limit that the rules give it, or to none.
    ///
    /// - Parameters:
    ///   - cost: Units that the request takes of each limit, 1 or more; unless said, what the rules say of the endpoint.
    ///   - subject: Who asks.
    ///   - endpoint: For what.
    ///   - priority: How urgent it is.
    ///   - slots: Whether concurrency slots are held. Who takes a decision with a lease renews and releases it;
    ///     ``withLease(_:for:on:priority:whenLost:_:)`` does both.
    /// - Returns: The decision, whether the request is allowed or not.
    /// - Throws: ``LimiterError`` when the request itself is wrong or the task is cancelled.
    public func acquire(
        _ cost: Cost = .ofEndpoint,
        for subject: Subject,
        on endpoint: Endpoint,
        priority: Priority = .normal,
        slots: SlotUse = .hold
    ) async throws(LimiterError) -> Decision {
        try await acquire(all: [LimitRequest(subject: subject, endpoint: endpoint, cost: cost, priority: priority)], slots: slots)
    }

    /// Charges several requests together: all of them, or none.
    ///
    /// - Throws: ``LimiterError`` when a request is wrong or the task is cancelled.
    public func acquire(all requests: [LimitRequest], slots: SlotUse = .hold) async throws(LimiterError) -> Decision {
        try await judge(try inquiry(requests, effect: .take, slots: slots))
    }

    /// Judges a request without charging anything.
    ///
    /// - Throws: ``LimiterError`` when the request itself is wrong or the task is cancelled.
    public func peek(
        _ cost: Cost = .ofEndpoint,
        for subject: Subject,
        on endpoint: Endpoint,
        priority: Priority = .normal
    ) async throws(LimiterError) -> Decision {
        let request = LimitRequest(subject: subject, endpoint: endpoint, cost: cost, priority: priority)
        return try await judge(try inquiry([request], effect: .observe, slots: .observe))
    }

    /// Judges independent groups of requests in order, in one call to the store.
    ///
    /// - Throws: ``LimiterError`` when any request is wrong, before anything is charged, or the task is cancelled.
    public func decide(_ groups: [RequestGroup], slots: SlotUse = .hold) async throws(LimiterError) -> [Decision] {
        var inquiries: [Inquiry] = []
        for group in groups {
            inquiries.append(try inquiry(group.requests, effect: group.effect, slots: group.effect == .take ? slots : .observe))
        }
        return try await judge(inquiries)
    }

    /// Forgets a subject's counts of every limit that applies to an endpoint, and this process's shares of them.
    ///
    /// - Throws: ``LimiterError`` when the counts may still stand.
    public func reset(_ subject: Subject, on endpoint: Endpoint) async throws(LimiterError) {
        let request = LimitRequest(subject: subject, endpoint: endpoint)
        for charge in try rules.limits(for: request).compactMap(\.charge) {
            try await reset(charge.identity, limits: [charge.limit])
        }
    }
}

/// Requests that are charged together or not at all.
public struct RequestGroup: Sendable, Hashable {
    /// The requests.
    public var requests: [LimitRequest]
    /// Whether they are charged or only judged.
    public var effect: Charge.Effect

    /// Creates a group.
    public init(_ requests: [LimitRequest], effect: Charge.Effect = .take) {
        self.requests = requests
        self.effect = effect
    }
}

// MARK: By limits given at the call

extension Limiter {
    /// Charges a request to all of some limits, or to none.
    ///
    /// - Throws: ``LimiterError`` when the cost is below 1, two limits share an id, or the task is cancelled.
    public func acquire(
        _ cost: Int64 = 1,
        for identity: Identity,
        limits: [Limit],
        slots: SlotUse = .hold
    ) async throws(LimiterError) -> Decision {
        try await judge(try inquiry(cost, identity, limits, effect: .take, slots: slots))
    }

    /// Judges a request by some limits without charging anything.
    ///
    /// - Throws: ``LimiterError`` when the cost is below 1, two limits share an id, or the task is cancelled.
    public func peek(_ cost: Int64 = 1, for identity: Identity, limits: [Limit]) async throws(LimiterError) -> Decision {
        try await judge(try inquiry(cost, identity, limits, effect: .observe, slots: .observe))
    }

    /// Forgets an identity's counts of some limits, and this process's shares of them.
    ///
    /// - Throws: ``LimiterError`` when the counts may still stand.
    public func reset(_ identity: Identity, limits: [Limit]) async throws(LimiterError) {
        try await store.reset(identity, limits)
        shares.reset(identity, limits)
    }
}

// MARK: Taking back

extension Limiter {
    /// Takes back what a decision charged, as far as that admits nothing that the limits would not.
    ///
    /// What has left its window, or has refilled since, does not come back. A lease is not released by it. What was charged to this
    /// process's shares comes back to them, and the store is not asked.
    ///
    /// - Returns: Units that came back, by limit id.
    /// - Throws: ``LimiterError/Code/alreadyRefunded`` on the second call for a decision that charged something, whichever copy of it; another code
    ///   when the store gave no answer, and then the refund may be tried again only if the error says that it certainly did
    ///   not happen.
    @discardableResult
    public func refund(_ decision: Decision) async throws(LimiterError) -> [String: Int64] {
        guard let receipts = decision.ledger.takeReceipts() else {
            throw LimiterError(.alreadyRefunded, "the decision was refunded before")
        }
        guard !receipts.isEmpty else { return [:] }
        do throws(LimiterError) {
            let returned = decision.degradedBy == .local ? shares.refund(receipts) : try await store.refund(receipts)
            return Dictionary(zip(receipts.map(\.limit.id), returned), uniquingKeysWith: +)
        } catch {
            if error.charge == .notCharged { decision.ledger.putBack() }
            throw error
        }
    }
}
