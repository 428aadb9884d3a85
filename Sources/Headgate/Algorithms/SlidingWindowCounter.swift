/// The usual two-counter estimate of a sliding window: small state, and not exact.
///
/// With e of the window W gone, P admitted in the previous window and C in this one, the estimate is
/// `C + ceil(P * (W - e) / W)`. The true count of any window stays at or below `units + P * e / W`, so below twice the
/// limit; the worst case needs all of P in one burst at its window's end.
public struct SlidingWindowCounter: Sendable, Hashable {
    /// Units that the estimate may reach.
    public let units: Int64
    /// The window's length in microseconds.
    package let window: Int64

    package init(units: Int64, window: Int64) {
        self.units = units
        self.window = window
    }
}

extension SlidingWindowCounter: CountingAlgorithm {
    /// The counts of two neighbouring windows.
    package struct State: Sendable, Hashable {
        package var current: Int64
        package var previous: Int64
        /// The current window's first instant.
        package var start: Int64

        package init(current: Int64, previous: Int64, start: Int64) {
            self.current = current
            self.previous = previous
            self.start = start
        }
    }

    package func settle(_ state: State?, at now: Int64) -> (state: State?, mustWrite: Bool) {
        let start = now - now % window
        guard var state, state.start >= start - window else { return (nil, false) }
        let mustWrite = state.start > start
        if state.start < start { (state.previous, state.current) = (state.current, 0) }
        state.start = start
        return (state.current == 0 && state.previous == 0 ? nil : state, mustWrite)
    }

    package func fit(_ state: State?, at now: Int64, request: UnitRequest) -> Int64 {
        max(0, units - request.reserve - estimate(state, at: now)) / request.cost
    }

    package func charge(_ state: State?, at now: Int64, request: UnitRequest, count: Int64) -> (state: State, stamp: Int64) {
        var state = state ?? State(current: 0, previous: 0, start: now - now % window)
        state.current += request.cost * count
        return (state, now)
    }

    package func read(_ state: State?, at now: Int64, request: UnitRequest) -> Outlook {
        let estimate = estimate(state, at: now)
        let allowance = units - request.reserve - request.cost
        return Outlook(
            remaining: max(0, units - estimate),
            retryAfter: allowance < 0 ? Outlook.never : estimate <= allowance ? 0 : timeUntil(allowance, state, at: now),
            nextUnit: estimate == 0 ? 0 : timeUntil(estimate - 1, state, at: now),
            full: state.map { end(of: $0) - now } ?? 0
        )
    }

    package func refund(_ state: State?, at now: Int64, units: Int64, stamp: Int64) -> (state: State?, returned: Int64) {
        guard var state else { return (nil, 0) }
        let returned: Int64
        if stamp >= state.start, stamp < state.start + window {
            returned = min(units, state.current)
            state.current -= returned
        } else if stamp >= state.start - window, stamp < state.start {
            returned = min(units, state.previous)
            state.previous -= returned
        } else {
            returned = 0
        }
        return (state.current == 0 && state.previous == 0 ? nil : state, returned)
    }

    package func end(of state: State) -> Int64 { state.start + (state.current > 0 ? 2 : 1) * window }

    /// What of the previous window still counts, rounded up.
    private func decayed(_ state: State, at now: Int64) -> Int64 {
        Arithmetic.scaleRoundingUp(state.previous, by: state.start + window - now, over: window)
    }

    private func estimate(_ state: State?, at now: Int64) -> Int64 {
        state.map { $0.current + decayed($0, at: now) } ?? 0
    }

    /// Microseconds until the estimate is at most `target`, which it is not now.
    private func timeUntil(_ target: Int64, _ state: State?, at now: Int64) -> Int64 {
        guard let state else { return 0 }
        let rest = state.start + window - now
        if state.current <= target {
            let weight = Arithmetic.scale(target - state.current, by: window, over: state.previous).quotient
            return rest - weight
        }
        let weight = Arithmetic.scale(target, by: window, over: state.current).quotient
        return rest + window - weight
    }
}
