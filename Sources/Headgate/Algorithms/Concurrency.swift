/// At most `slots` unexpired leases at once.
///
/// A lease ends by release, or by time when its holder stops renewing it. Only its own id can release or renew it. A request
/// takes one slot whatever its cost.
public struct Concurrency: Sendable, Hashable {
    /// Leases that may be held at once.
    public let slots: Int64
    /// A lease's time to live in microseconds, counted anew by each renewal.
    package let timeToLive: Int64

    package init(slots: Int64, timeToLive: Int64) {
        self.slots = slots
        self.timeToLive = timeToLive
    }
}

extension Concurrency: CountingAlgorithm {
    /// The leases of one subject.
    package struct State: Sendable, Hashable {
        /// Expiry instants by lease id; never empty.
        package var leases: [String: Int64]

        package init(leases: [String: Int64]) { self.leases = leases }
    }

    /// The id of the n-th of several equal requests that share one call, counted from 0.
    package static func leaseID(_ id: String, index: Int64) -> String { index == 0 ? id : "\(id)+\(index)" }

    package func settle(_ state: State?, at now: Int64) -> (state: State?, mustWrite: Bool) {
        guard let state else { return (nil, false) }
        // A lease cannot end later than one time to live from now: the rest is a clock that went back.
        let leases = state.leases.filter { $0.value > now }.mapValues { min($0, now + timeToLive) }
        return (leases.isEmpty ? nil : State(leases: leases), leases != state.leases)
    }

    package func fit(_ state: State?, at now: Int64, request: UnitRequest) -> Int64 {
        let free = max(0, slots - request.reserve - Int64(state?.leases.count ?? 0))
        // Who holds the slot already does not need another one: acquiring is idempotent by id.
        return free == 0 && state?.leases[request.leaseID] != nil ? 1 : free
    }

    package func charge(_ state: State?, at now: Int64, request: UnitRequest, count: Int64) -> (state: State, stamp: Int64) {
        var state = state ?? State(leases: [:])
        for index in 0..<count { state.leases[Self.leaseID(request.leaseID, index: index)] = now + timeToLive }
        return (state, now)
    }

    package func read(_ state: State?, at now: Int64, request: UnitRequest) -> Outlook {
        let ends = state?.leases.values.sorted() ?? []
        let held = Int64(ends.count)
        let available = slots - request.reserve
        return Outlook(
            remaining: max(0, slots - held),
            retryAfter: available < 1 ? Outlook.never : held < available ? 0 : ends[Int(held - available)] - now,
            nextUnit: ends.first.map { $0 - now } ?? 0,
            full: ends.last.map { $0 - now } ?? 0
        )
    }

    /// A refund of a held slot is its release.
    package func refund(_ state: State?, at now: Int64, units: Int64, stamp: Int64) -> (state: State?, returned: Int64) {
        (state, 0)
    }

    package func end(of state: State) -> Int64 { state.leases.values.max() ?? 0 }
}
