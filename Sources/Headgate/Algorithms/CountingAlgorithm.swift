/// How one algorithm counts: pure functions over its state, the exact twin of the Lua file of the same name.
///
/// A state of `nil` means that nothing is stored. All times are microseconds of the store's clock.
package protocol CountingAlgorithm: Sendable, Hashable {
    /// What is stored for one subject and limit.
    associatedtype State: Sendable, Hashable

    /// The state as it stands at `now`: what has ended is gone, what lies in the future is clamped.
    ///
    /// `mustWrite` is true when the difference has to be stored even if the request is denied.
    func settle(_ state: State?, at now: Int64) -> (state: State?, mustWrite: Bool)

    /// How many requests like this one fit into a settled state, without regard to how many are asked for.
    func fit(_ state: State?, at now: Int64, request: UnitRequest) -> Int64

    /// The settled state with `count` requests charged, and the stamp that a refund needs.
    func charge(_ state: State?, at now: Int64, request: UnitRequest, count: Int64) -> (state: State, stamp: Int64)

    /// What a caller is told of a settled state.
    func read(_ state: State?, at now: Int64, request: UnitRequest) -> Outlook

    /// A settled state without `units` that were charged at `stamp`, and how many of them came back.
    func refund(_ state: State?, at now: Int64, units: Int64, stamp: Int64) -> (state: State?, returned: Int64)

    /// The instant from which the state says nothing any more: its key's expiry.
    func end(of state: State) -> Int64

    /// The state among those of all algorithms.
    static func wrap(_ state: State) -> StoredState

    /// The state, when it is of this algorithm.
    static func unwrap(_ state: StoredState) -> State?
}

/// One of possibly many equal requests, as a limit sees it.
package struct UnitRequest: Sendable, Hashable {
    /// Units that one request takes.
    package var cost: Int64
    /// Units that this request's priority may not touch.
    package var reserve: Int64
    /// The lease that is asked for; only concurrency looks at it.
    package var leaseID: String

    /// Creates a request.
    package init(cost: Int64 = 1, reserve: Int64 = 0, leaseID: String = "") {
        self.cost = cost
        self.reserve = reserve
        self.leaseID = leaseID
    }
}

/// What a limit's state means for a caller, in units and microseconds from now.
package struct Outlook: Sendable, Hashable {
    /// Units left, before any reserve; never negative.
    package var remaining: Int64
    /// Until one more request like this one fits: 0 now, ``never`` when none ever will.
    package var retryAfter: Int64
    /// Until at least one more unit is available than now; 0 when nothing is used.
    package var nextUnit: Int64
    /// Until everything is available; 0 when nothing is used.
    package var full: Int64

    /// No time at which the request would fit.
    package static let never: Int64 = -1

    /// Creates an outlook.
    package init(remaining: Int64, retryAfter: Int64, nextUnit: Int64, full: Int64) {
        self.remaining = remaining
        self.retryAfter = retryAfter
        self.nextUnit = nextUnit
        self.full = full
    }
}
