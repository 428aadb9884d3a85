/// What one limit says of a request, after the decision.
public struct LimitStatus: Sendable, Hashable {
    /// The limit's id: the name of its rule, under which its counts are kept.
    public let id: String

    /// The name that customers know it by.
    public let name: String

    /// Which rule it comes from.
    public let role: AppliedLimit.Role

    /// What this limit by itself made of the request.
    public let verdict: Verdict

    /// Units that can be available at once; `nil` when unlimited.
    public let limit: Int64?

    /// The time in which the limit comes back; `nil` for concurrency and when unlimited.
    public let window: Duration?

    /// The part of the limit that this process kept to, the store being away; `nil` when the store judged, or nobody did.
    public let share: Int64?

    /// Units left after this request, before any reserve; of the share, when there is one, and `nil` when not judged or unlimited.
    public let remaining: Int64?

    /// How it counts; `nil` when unlimited.
    public let algorithm: Algorithm.Name?

    /// Whether it can deny.
    public let mode: Limit.Mode

    /// Units that the request's priority may not touch.
    public let reserve: Int64

    /// Whether it denies only because what is left is kept for other priorities.
    public let isHeldBack: Bool

    /// The time until at least one more unit is available; zero when nothing is used.
    public let nextUnit: Duration

    /// The time until everything is available.
    public let full: Duration

    /// The time after which this request would fit; zero now, `nil` when it never will.
    ///
    /// For concurrency, where a slot may come back at any moment, never longer than one second. The same holds for a share: the store
    /// may come back at any moment, and another instance may have some of its own share left.
    public let retryAfter: Duration?

    /// What a limit makes of a request.
    public enum Verdict: String, Sendable, Hashable, Codable {
        /// It has room.
        case allowed
        /// It has none, and denies.
        case denied
        /// It has none, and being in shadow mode lets the request pass.
        case wouldDeny = "would_deny"
        /// It never denies.
        case unlimited
        /// The store gave no answer.
        case unknown
    }

    /// The longest wait that is advised where room may come at any moment: for a concurrency limit, and for a share of any limit.
    package static let longestGuess: Duration = .seconds(1)
}

extension LimitStatus {
    /// The status of a limit that was judged: as a whole by the store, or in this process by a share of it.
    package init(_ applied: AppliedLimit, charge: Charge, reading: Reading, share: Int64? = nil) {
        let limit = charge.limit
        id = applied.id
        name = applied.name
        role = applied.role
        verdict = reading.fit > 0 ? .allowed : limit.mode == .shadow ? .wouldDeny : .denied
        self.limit = limit.algorithm.capacity
        window = limit.algorithm.window
        self.share = share
        remaining = reading.remaining
        reserve = charge.reserve
        isHeldBack = reading.fit == 0 && charge.reserve > 0 && reading.remaining >= charge.cost
        algorithm = limit.algorithm.name
        mode = limit.mode
        nextUnit = .microseconds(reading.nextUnit)
        full = .microseconds(reading.full)
        let wait: Duration? = reading.retryAfter == Outlook.never ? nil : .microseconds(reading.retryAfter)
        if share != nil {
            // What the share never has room for, the limit may.
            retryAfter = min(wait ?? LimitStatus.longestGuess, LimitStatus.longestGuess)
        } else if case .concurrency = limit.algorithm {
            retryAfter = wait.map { min($0, LimitStatus.longestGuess) }
        } else {
            retryAfter = wait
        }
    }

    /// The status of a limit that was not judged: it is unlimited, or the store gave no answer and no share is kept.
    package init(unjudged applied: AppliedLimit) {
        let algorithm = applied.charge?.limit.algorithm
        id = applied.id
        name = applied.name
        role = applied.role
        let isImpossible = applied.charge?.isImpossible ?? false
        mode = applied.charge?.limit.mode ?? .enforced
        verdict = algorithm == nil ? .unlimited : !isImpossible ? .unknown : mode == .shadow ? .wouldDeny : .denied
        limit = algorithm?.capacity
        window = algorithm?.window
        share = nil
        remaining = nil
        reserve = applied.charge?.reserve ?? 0
        isHeldBack = false
        self.algorithm = algorithm?.name
        nextUnit = .zero
        full = .zero
        retryAfter = isImpossible ? nil : .zero
    }

    /// The same limit, denying for a time.
    package func denied(for wait: Duration) -> LimitStatus {
        LimitStatus(copying: self, verdict: .denied, retryAfter: wait)
    }

    private init(copying other: LimitStatus, verdict: Verdict, retryAfter: Duration) {
        id = other.id
        name = other.name
        role = other.role
        self.verdict = verdict
        limit = other.limit
        window = other.window
        share = other.share
        remaining = other.remaining
        reserve = other.reserve
        isHeldBack = other.isHeldBack
        algorithm = other.algorithm
        mode = other.mode
        nextUnit = other.nextUnit
        full = other.full
        self.retryAfter = retryAfter
    }

    /// A status of given parts, for previews and for tests of adapters.
    package init(
        id: String,
        name: String,
        role: AppliedLimit.Role,
        verdict: Verdict,
        algorithm: Algorithm,
        remaining: Int64,
        reserve: Int64 = 0,
        nextUnit: Duration = .zero,
        full: Duration = .zero,
        retryAfter: Duration? = .zero
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.verdict = verdict
        limit = algorithm.capacity
        window = algorithm.window
        share = nil
        self.remaining = remaining
        self.reserve = reserve
        isHeldBack = verdict == .denied && reserve > 0 && remaining > 0
        self.algorithm = algorithm.name
        mode = verdict == .wouldDeny ? .shadow : .enforced
        self.nextUnit = nextUnit
        self.full = full
        self.retryAfter = retryAfter
    }
}
