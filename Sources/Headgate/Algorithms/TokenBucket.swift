/// At most `burst + rate * t` units in any interval t, with continuous refill.
///
/// Kept as GCRA: the state is the instant at which the bucket is full again. One unit takes `interval / divisor`
/// microseconds, in lowest terms, and the instant keeps its remainder in `1 / divisor` microseconds, so nothing drifts.
///
/// A changed rate or burst reads the stored instant as time until full: the used *share* stays when the time to fill
/// (burst over rate) stays, and is cut to the new time to fill when that is shorter.
public struct TokenBucket: Sendable, Hashable {
    /// Units that a full bucket holds.
    public let burst: Int64
    /// Units that come back within `window`.
    public let units: Int64
    /// The rate's window in microseconds.
    package let window: Int64
    /// Numerator of the microseconds that one unit takes.
    package let interval: Int64
    /// Denominator of the microseconds that one unit takes.
    package let divisor: Int64

    package init(units: Int64, window: Int64, burst: Int64) {
        self.burst = burst
        self.units = units
        self.window = window
        let common = units == 0 ? window : Arithmetic.greatestCommonDivisor(window, units)
        interval = window / common
        divisor = units == 0 ? 1 : units / common
    }

    /// Microseconds that an empty bucket takes to fill, rounded up.
    package var timeToFill: Int64 { Arithmetic.scaleRoundingUp(burst, by: interval, over: divisor) }
}

extension TokenBucket: CountingAlgorithm {
    /// The instant at which the bucket is full.
    package struct State: Sendable, Hashable {
        /// Whole microseconds.
        package var arrival: Int64
        /// The rest, in `1 / divisor` microseconds.
        package var fraction: Int64

        package init(arrival: Int64, fraction: Int64) {
            self.arrival = arrival
            self.fraction = fraction
        }
    }

    package func settle(_ state: State?, at now: Int64) -> (state: State?, mustWrite: Bool) {
        guard var state, state.arrival > now || (state.arrival == now && state.fraction > 0) else { return (nil, false) }
        // A remainder of another rate: the next whole microsecond is on the side of denial.
        if state.fraction >= divisor { state = State(arrival: state.arrival + 1, fraction: 0) }
        let (whole, rest) = Arithmetic.scale(burst, by: interval, over: divisor)
        let latest = State(arrival: now + whole, fraction: rest)
        guard state.arrival > latest.arrival || (state.arrival == latest.arrival && state.fraction > latest.fraction) else {
            return (state, false)
        }
        return (latest == State(arrival: now, fraction: 0) ? nil : latest, true)
    }

    package func fit(_ state: State?, at now: Int64, request: UnitRequest) -> Int64 {
        max(0, burst - request.reserve - used(state, at: now)) / request.cost
    }

    package func charge(_ state: State?, at now: Int64, request: UnitRequest, count: Int64) -> (state: State, stamp: Int64) {
        var state = state ?? State(arrival: now, fraction: 0)
        let (whole, rest) = Arithmetic.scale(request.cost * count, by: interval, over: divisor)
        state.arrival += whole
        state.fraction += rest
        if state.fraction >= divisor {
            state.arrival += 1
            state.fraction -= divisor
        }
        return (state, now)
    }

    package func read(_ state: State?, at now: Int64, request: UnitRequest) -> Outlook {
        let used = used(state, at: now)
        let allowance = burst - request.reserve - request.cost
        return Outlook(
            remaining: burst - used,
            retryAfter: allowance < 0 ? Outlook.never : used <= allowance ? 0 : timeUntil(allowance, state, at: now),
            nextUnit: used == 0 ? 0 : timeUntil(used - 1, state, at: now),
            full: state.map { $0.arrival - now + ($0.fraction > 0 ? 1 : 0) } ?? 0
        )
    }

    /// What has refilled since the charge is not given back again: crediting it would admit more than the rate.
    package func refund(_ state: State?, at now: Int64, units: Int64, stamp: Int64) -> (state: State?, returned: Int64) {
        guard var state else { return (nil, 0) }
        let (whole, rest) = Arithmetic.scale(units, by: interval, over: divisor)
        let credit = whole - max(0, now - stamp)
        guard credit >= 0 else { return (state, 0) }
        let usedBefore = used(state, at: now)
        state.arrival -= credit
        state.fraction -= rest
        if state.fraction < 0 {
            state.arrival -= 1
            state.fraction += divisor
        }
        let left = state.arrival > now || (state.arrival == now && state.fraction > 0) ? state : nil
        return (left, usedBefore - used(left, at: now))
    }

    package func end(of state: State) -> Int64 { state.arrival + (state.fraction > 0 ? 1 : 0) }

    /// Units missing from a settled bucket, rounded up.
    private func used(_ state: State?, at now: Int64) -> Int64 {
        guard let state else { return 0 }
        let (quotient, remainder) = Arithmetic.scale(state.arrival - now, by: divisor, over: interval)
        return quotient + (remainder + state.fraction + interval - 1) / interval
    }

    /// Microseconds until no more than `units` are missing.
    private func timeUntil(_ units: Int64, _ state: State?, at now: Int64) -> Int64 {
        guard let state else { return 0 }
        let (whole, rest) = Arithmetic.scale(units, by: interval, over: divisor)
        return max(0, state.arrival - now - whole + (state.fraction > rest ? 1 : 0))
    }
}
