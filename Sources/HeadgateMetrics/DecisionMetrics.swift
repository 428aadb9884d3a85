public import Headgate
public import Metrics
internal import Synchronization

/// Counts a limiter's decisions, and the time that it spends without its store.
///
/// ```swift
/// let limiter = Limiter(store: store, rules: policy, observers: [DecisionMetrics()])
/// ```
///
/// - `headgate_decisions_total`, by `limit` (the id of the one that the answer is about, or `none`), `outcome` and `reason` (why the store
///   gave no answer, a code, or `none`). Outcomes are those of ``DecisionOutcome``.
/// - `headgate_degraded_seconds_total`: the time from each decision without the store to the next decision.
///
/// No label holds a subject. There are at most 1,000 values of `limit`; what comes after them is counted as `other`.
public final class DecisionMetrics: DecisionObserver {
    fileprivate struct State {
        var counters: [Labels: Counter] = [:]
        var limits: Set<String> = []
        /// The time of the last decision, if it was made without the store.
        var awaySince: Duration?
    }

    fileprivate struct Labels: Hashable {
        var limit: String
        var outcome: DecisionOutcome
        var reason: String
    }

    private static let mostLimits = 1_000

    private let state = Mutex(State())
    private let factory: any MetricsFactory
    private let degraded: FloatingPointCounter
    private let elapsed: @Sendable () -> Duration

    /// Creates metrics.
    ///
    /// - Parameters:
    ///   - factory: What makes the counters.
    ///   - clock: By what the time without the store is measured.
    public init<C: Clock<Duration>>(factory: any MetricsFactory = MetricsSystem.factory, clock: C = ContinuousClock()) {
        self.factory = factory
        degraded = FloatingPointCounter(label: "headgate_degraded_seconds_total", dimensions: [], factory: factory)
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
    }

    /// Counts a decision, and the limits in shadow mode that would have denied.
    public func observe(_ decision: Decision) {
        let reason = decision.degradation?.code.description ?? "none"
        count(decision.bindingLimit?.id ?? "none", DecisionOutcome(decision), reason)
        for status in decision.limits where status.verdict == .wouldDeny { count(status.id, .shadowDenied, reason) }
        let time = state.withLock { $0.timeAway(upTo: elapsed(), isAway: decision.isDegraded) }
        if let time { degraded.increment(by: time / .seconds(1)) }
    }

    private func count(_ limit: String, _ outcome: DecisionOutcome, _ reason: String) {
        let counter = state.withLock { state in
            let labels = Labels(limit: state.label(of: limit, upTo: DecisionMetrics.mostLimits), outcome: outcome, reason: reason)
            if let counter = state.counters[labels] { return counter }
            let dimensions = [("limit", labels.limit), ("outcome", outcome.rawValue), ("reason", reason)]
            let counter = Counter(label: "headgate_decisions_total", dimensions: dimensions, factory: factory)
            state.counters[labels] = counter
            return counter
        }
        counter.increment()
    }
}

extension DecisionMetrics.State {
    /// The limit's own label, or the common one when there are too many.
    fileprivate mutating func label(of limit: String, upTo most: Int) -> String {
        if limits.contains(limit) { return limit }
        guard limits.count < most else { return "other" }
        limits.insert(limit)
        return limit
    }

    /// The time since the last decision, if that was made without the store.
    fileprivate mutating func timeAway(upTo now: Duration, isAway: Bool) -> Duration? {
        let time = awaySince.map { max(.zero, now - $0) }
        awaySince = isAway ? now : nil
        return time
    }
}
