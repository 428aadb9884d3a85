/// What the limiter says of one request, with the status of every limit that was looked at.
public struct Decision: Sendable {
    /// Allowed, denied by a limit, or refused for want of a store.
    public let outcome: Outcome

    /// Every limit that applies, in the order of the rules.
    public let limits: [LimitStatus]

    /// The limit that the answer is about; see ``bindingLimit``.
    public let bindingIndex: Int?

    /// The store's time of the decision; `nil` when the store gave no answer or was not asked.
    public let time: StoreTime?

    /// Why the store gave no answer; `nil` when it did.
    ///
    /// With ``FailurePolicy/local`` also ``LimiterError/Code/overloaded``, when this process had no room to count the request.
    public let degradation: LimiterError?

    /// Which failure policy decided in the store's place; `nil` when the store answered.
    public let degradedBy: FailurePolicy?

    /// The concurrency slots that the request holds now; whoever got the decision releases them.
    public let lease: Lease?

    /// What was charged, for a refund.
    package let ledger: ChargeLedger

    /// How a request fared.
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// It may go on.
        case allowed
        /// A limit denies it: HTTP 429.
        case denied
        /// The store gave no answer, and a limit with ``FailurePolicy/closed`` refuses it, or no room was left to count it: HTTP 503.
        case unavailable
    }

    /// Whether the request may go on.
    public var isAllowed: Bool { outcome == .allowed }

    /// Whether the decision was made without the store, by the limits' failure policies.
    public var isDegraded: Bool { degradation != nil }

    /// The limit that the answer is about.
    ///
    /// On a denial the one that must be waited for longest, a permanent one first of all. Else the one with the smallest share
    /// left; ties go to the endpoint's limit, then to the order of the rules. Concurrency, shadow and unlimited limits never
    /// bind an allowed answer. A degraded answer binds none, unless a share has no room or no count would ever allow the request.
    public var bindingLimit: LimitStatus? { bindingIndex.map { limits[$0] } }

    /// Whether no wait will ever make the same request fit.
    public var isPermanent: Bool {
        guard outcome == .denied, let binding = bindingLimit else { return false }
        return binding.retryAfter == nil
    }

    /// The time after which the same request would fit, by itself; `nil` unless denied for a time.
    ///
    /// Longer than zero. It is a duration by the store's clock, so the host's clock may be wrong.
    public var retryAfter: Duration? { outcome == .denied ? bindingLimit?.retryAfter : nil }

    /// The instant at which more becomes available of the binding limit; on a denial the instant at which the request would fit.
    ///
    /// `nil` when nothing binds, and on a permanent denial: no instant is worth waiting for.
    public var resetTime: StoreTime? {
        guard let time, let binding = bindingLimit else { return nil }
        guard outcome == .denied else { return time + binding.nextUnit }
        return binding.retryAfter.map { time + $0 }
    }

    package init(
        outcome: Outcome,
        limits: [LimitStatus],
        time: StoreTime?,
        degradation: LimiterError? = nil,
        degradedBy policy: FailurePolicy? = nil,
        lease: Lease? = nil,
        receipts: [Receipt] = []
    ) {
        self.outcome = outcome
        self.limits = limits
        self.time = time
        self.degradation = degradation
        degradedBy = degradation.map { _ in policy ?? (outcome == .unavailable ? .closed : .open) }
        self.lease = lease
        ledger = .of(receipts)
        bindingIndex = degradation == nil || outcome == .denied ? Decision.bindingIndex(of: limits, outcome: outcome) : nil
    }

    private static func bindingIndex(of limits: [LimitStatus], outcome: Outcome) -> Int? {
        var binding: Int?
        for (index, limit) in limits.enumerated() {
            let isCandidate =
                outcome == .denied
                ? limit.verdict == .denied
                : limit.verdict == .allowed && limit.mode == .enforced && limit.algorithm != .concurrency
            guard isCandidate else { continue }
            guard let before = binding.map({ limits[$0] }) else {
                binding = index
                continue
            }
            if outcome == .denied ? limit.isAwaitedLonger(than: before) : limit.isCloser(than: before) { binding = index }
        }
        return binding
    }
}

extension LimitStatus {
    /// Whether a denial by this limit lasts longer than one by another; one without an end is the longest.
    fileprivate func isAwaitedLonger(than other: LimitStatus) -> Bool {
        guard let wait = other.retryAfter else { return false }
        return retryAfter.map { $0 > wait } ?? true
    }

    /// Whether a smaller share of this limit is left than of another; of equal shares, an endpoint's limit is the closer one.
    fileprivate func isCloser(than other: LimitStatus) -> Bool {
        // remaining / limit < other.remaining / other.limit, without division.
        let first = (remaining ?? 0).multipliedFullWidth(by: other.limit ?? 0)
        let second = (other.remaining ?? 0).multipliedFullWidth(by: limit ?? 0)
        if first != second { return first < second }
        return role == .endpoint && other.role != .endpoint
    }
}
