/// At most `units` in each window, windows aligned to the epoch: an hour or a day of UTC.
///
/// An interval that crosses a border may see twice the limit; that is the algorithm, not an error.
public struct FixedWindow: Sendable, Hashable {
    /// Units that each window holds.
    public let units: Int64
    /// The window's length in microseconds.
    package let window: Int64

    package init(units: Int64, window: Int64) {
        self.units = units
        self.window = window
    }
}

extension FixedWindow: CountingAlgorithm {
    /// The count of one window.
    package struct State: Sendable, Hashable {
        package var count: Int64
        /// The window's first instant.
        package var start: Int64

        package init(count: Int64, start: Int64) {
            self.count = count
            self.start = start
        }
    }

    package func settle(_ state: State?, at now: Int64) -> (state: State?, mustWrite: Bool) {
        let start = now - now % window
        guard let state, state.start >= start else { return (nil, false) }
        // A window of the future (the clock went back): its count stands in the window of now.
        return (State(count: state.count, start: start), state.start > start)
    }

    package func fit(_ state: State?, at now: Int64, request: UnitRequest) -> Int64 {
        max(0, units - request.reserve - (state?.count ?? 0)) / request.cost
    }

    package func charge(_ state: State?, at now: Int64, request: UnitRequest, count: Int64) -> (state: State, stamp: Int64) {
        (State(count: (state?.count ?? 0) + request.cost * count, start: now - now % window), now)
    }

    package func read(_ state: State?, at now: Int64, request: UnitRequest) -> Outlook {
        let count = state?.count ?? 0
        let rest = now - now % window + window - now
        let allowance = units - request.reserve - request.cost
        return Outlook(
            remaining: max(0, units - count),
            retryAfter: allowance < 0 ? Outlook.never : count <= allowance ? 0 : rest,
            nextUnit: count == 0 ? 0 : rest,
            full: count == 0 ? 0 : rest
        )
    }

    package func refund(_ state: State?, at now: Int64, units: Int64, stamp: Int64) -> (state: State?, returned: Int64) {
        guard var state, stamp >= state.start, stamp < state.start + window else { return (state, 0) }
        let returned = min(units, state.count)
        state.count -= returned
        return (state.count == 0 ? nil : state, returned)
    }

    package func end(of state: State) -> Int64 { state.start + window }
}
