extension Algorithm {
    /// The most instances among which a limit is shared; more of them count as so many.
    ///
    /// Shares never reach a script, so 64 bits hold them: a share's bucket takes at most 400 days times the instances to fill.
    package static let mostInstances: Int64 = 65_536

    /// One instance's share: the capacity over the number of instances, rounded up, in the same time.
    ///
    /// A bucket has that share of the burst and exactly that part of the rate. A log keeps at most 64 slots, so that a share takes little
    /// memory whatever the limit: it is as strict, and a unit comes back up to a 64th of the window late.
    package func share(among instances: Int64) -> Algorithm {
        func share(_ units: Int64) -> Int64 { (units + instances - 1) / instances }
        switch self {
        case .slidingWindowLog(let log):
            let units = share(log.units)
            let slot = units <= Algorithm.mostShareEntries ? log.slot : max(log.slot, (log.window - 1) / Algorithm.mostShareEntries + 1)
            return .slidingWindowLog(SlidingWindowLog(units: units, window: log.window, slot: slot))
        case .tokenBucket(let bucket):
            return .tokenBucket(TokenBucket(units: bucket.units, window: bucket.window * instances, burst: share(bucket.burst)))
        case .fixedWindow(let window):
            return .fixedWindow(FixedWindow(units: share(window.units), window: window.window))
        case .slidingWindowCounter(let counter):
            return .slidingWindowCounter(SlidingWindowCounter(units: share(counter.units), window: counter.window))
        case .concurrency(let concurrency):
            return .concurrency(Concurrency(slots: share(concurrency.slots), timeToLive: concurrency.timeToLive))
        }
    }

    /// The most entries that the log of a share has, but for the one that is about to leave.
    private static let mostShareEntries: Int64 = 64
}

extension Charge {
    /// The charge against one instance's share of the limit.
    ///
    /// The reserve is shared, too, and rounded down: a request of one unit that the limit has room for fits a share that is unused.
    func share(among instances: Int) -> Charge {
        let instances = max(1, min(Int64(instances), Algorithm.mostInstances))
        var share = self
        share.limit.algorithm = limit.algorithm.share(among: instances)
        share.reserve = reserve / instances
        return share
    }
}
