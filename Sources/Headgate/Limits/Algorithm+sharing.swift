extension Algorithm {
    /// Whether two limits of one id leave each other's count whole.
    ///
    /// What has left a limit's window is forgotten, and so is what a bucket cannot hold. Limits that count by turns, as those of two
    /// keys of one account do, therefore need the same window, and buckets the same time to fill but for less than one unit. A
    /// limit that allows nothing settles nothing, and limits of different algorithms have different counts.
    package func sharesCount(with other: Algorithm) -> Bool {
        guard name == other.name, capacity > 0, other.capacity > 0 else { return true }
        switch (self, other) {
        case (.tokenBucket(let one), .tokenBucket(let other)):
            let unit = max(one.interval / one.divisor, other.interval / other.divisor) + 1
            return abs(one.timeToFill - other.timeToFill) <= unit
        case (.concurrency(let one), .concurrency(let other)):
            return one.timeToLive == other.timeToLive
        default:
            return window == other.window
        }
    }
}
