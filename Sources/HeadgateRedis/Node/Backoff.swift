internal import NIOCore

extension RedisConfiguration.Backoff {
    /// The wait after so many failures in a row: any time up to `base`, doubled with each, up to `cap`.
    ///
    /// `random` is 0 up to 1.
    func wait(afterFailures failures: Int, random: Double) -> TimeAmount {
        var longest = TimeAmount(base)
        let cap = TimeAmount(cap)
        for _ in 1..<max(1, failures) where longest < cap { longest = longest * 2 }
        return .nanoseconds(Int64(Double(min(longest, cap).nanoseconds) * random))
    }
}
