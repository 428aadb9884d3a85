internal import Headgate

/// How much of a limit is used.
struct LimitUse: Sendable, Hashable {
    /// Units that there are: above zero, at most 2^40.
    var limit: Int64
    /// Units that were used.
    var used: Int64
    var window: Duration
    /// Whether the limit denied for want of units.
    var denied: Bool

    /// The use that a status tells of.
    ///
    /// Nil where nothing fills up: concurrency, unlimited, shadow and unjudged limits, and those of zero units. What is denied for
    /// good, or because the rest is kept for other priorities, is not used up.
    init?(_ status: LimitStatus) {
        guard status.mode == .enforced, status.verdict == .allowed || status.verdict == .denied, status.algorithm != .concurrency,
            let limit = status.limit, limit > 0, let remaining = status.remaining, let window = status.window
        else { return nil }
        self.limit = limit
        self.window = window
        used = limit - remaining
        denied = status.verdict == .denied && status.retryAfter != nil && !status.isHeldBack
    }

    /// Whether a share of the limit is used; 100 percent also when it denied.
    func reaches(_ percent: Int) -> Bool {
        // Both products are below 2^47.
        (denied && percent == 100) || used * 100 >= Int64(percent) * limit
    }
}

/// A share of a limit that was seen to be used: at most one event in the limit's window.
struct Crossing: Sendable, Hashable {
    /// What is told once a window.
    struct Key: Sendable, Hashable {
        var identity: Identity
        var limit: String
        var percent: Int
    }

    var key: Key
    var status: LimitStatus
    var use: LimitUse
    /// The store's time at which it was seen.
    var time: StoreTime
    /// Whether this instance is the one that emits it.
    var isClaimed = false
}
