/// At most `units` in every window of length `window`, always.
///
/// The log holds (stamp, units) entries. Charges within one slot of `resolution` share an entry, stamped at the END of the
/// slot: a unit may come back up to one slot late, never early. There are at most `window / resolution + 1` live entries.
public struct SlidingWindowLog: Sendable, Hashable {
    /// Units that any window may hold.
    public let units: Int64
    /// The window's length in microseconds.
    package let window: Int64
    /// The slot's length in microseconds; 1 is exact to the microsecond.
    package let slot: Int64

    package init(units: Int64, window: Int64, slot: Int64) {
        self.units = units
        self.window = window
        self.slot = slot
    }

    /// The last instant of the slot of `now`: the largest stamp that is legal.
    package func slotEnd(_ now: Int64) -> Int64 { (now + slot - 1) / slot * slot }
}

extension SlidingWindowLog: CountingAlgorithm {
    /// The log of one subject.
    package struct State: Sendable, Hashable {
        /// Units charged at one stamp.
        package struct Entry: Sendable, Hashable {
            package var stamp: Int64
            package var units: Int64

            package init(stamp: Int64, units: Int64) {
                self.stamp = stamp
                self.units = units
            }
        }

        /// Oldest first, stamps strictly rising, never empty.
        package var entries: [Entry]
        /// The entries' units together.
        package var sum: Int64

        package init(entries: [Entry]) {
            self.entries = entries
            sum = entries.reduce(0) { $0 + $1.units }
        }
    }

    package func settle(_ state: State?, at now: Int64) -> (state: State?, mustWrite: Bool) {
        guard let state else { return (nil, false) }
        let legal = slotEnd(now)
        if let first = state.entries.first, let last = state.entries.last, first.stamp > now - window, last.stamp <= legal {
            return (state, false)
        }
        var entries = Array(state.entries.drop { $0.stamp <= now - window })
        let future = entries.reversed().prefix { $0.stamp > legal }
        if !future.isEmpty {
            let units = future.reduce(0) { $0 + $1.units }
            entries.removeLast(future.count)
            if entries.last?.stamp == legal {
                entries[entries.count - 1].units += units
            } else {
                entries.append(.init(stamp: legal, units: units))
            }
        }
        let settled = entries.isEmpty ? nil : State(entries: entries)
        return (settled, settled != state)
    }

    package func fit(_ state: State?, at now: Int64, request: UnitRequest) -> Int64 {
        max(0, units - request.reserve - (state?.sum ?? 0)) / request.cost
    }

    package func charge(_ state: State?, at now: Int64, request: UnitRequest, count: Int64) -> (state: State, stamp: Int64) {
        let stamp = slotEnd(now)
        let charged = request.cost * count
        var state = state ?? State(entries: [])
        if let last = state.entries.indices.last, state.entries[last].stamp == stamp {
            state.entries[last].units += charged
        } else {
            state.entries.append(.init(stamp: stamp, units: charged))
        }
        state.sum += charged
        return (state, stamp)
    }

    package func read(_ state: State?, at now: Int64, request: UnitRequest) -> Outlook {
        let sum = state?.sum ?? 0
        let entries = state?.entries ?? []
        let needed = sum + request.cost - (units - request.reserve)
        return Outlook(
            remaining: max(0, units - sum),
            retryAfter: request.cost > units - request.reserve
                ? Outlook.never : needed <= 0 ? 0 : timeUntilFreed(needed, entries: entries, now: now),
            nextUnit: entries.first.map { $0.stamp + window - now } ?? 0,
            full: entries.last.map { $0.stamp + window - now } ?? 0
        )
    }

    package func refund(_ state: State?, at now: Int64, units: Int64, stamp: Int64) -> (state: State?, returned: Int64) {
        guard var state, let index = state.entries.firstIndex(where: { $0.stamp == stamp }) else { return (state, 0) }
        let returned = min(units, state.entries[index].units)
        state.entries[index].units -= returned
        state.sum -= returned
        if state.entries[index].units == 0 { state.entries.remove(at: index) }
        return (state.entries.isEmpty ? nil : state, returned)
    }

    package func end(of state: State) -> Int64 {
        (state.entries.last?.stamp ?? 0) + window
    }

    private func timeUntilFreed(_ needed: Int64, entries: [State.Entry], now: Int64) -> Int64 {
        var freed: Int64 = 0
        for entry in entries {
            freed += entry.units
            if freed >= needed { return entry.stamp + window - now }
        }
        return entries.last.map { $0.stamp + window - now } ?? 0
    }
}
