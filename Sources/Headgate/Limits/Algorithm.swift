/// One of the five ways to count, with its numbers.
///
/// Made by the functions below, which refuse numbers that cannot be counted exactly, so that a value of this type is always
/// fit to be judged.
public enum Algorithm: Sendable, Hashable {
    /// Exact in every window.
    case slidingWindowLog(SlidingWindowLog)
    /// A burst, refilled continuously.
    case tokenBucket(TokenBucket)
    /// Counters per aligned window.
    case fixedWindow(FixedWindow)
    /// Two counters and an estimate.
    case slidingWindowCounter(SlidingWindowCounter)
    /// Held slots.
    case concurrency(Concurrency)
}

extension Algorithm {
    /// The longest window: 400 days.
    public static let longestWindow: Duration = .seconds(400 * 86_400)

    /// The most units a limit may have; with one unit a microsecond this is the tighter bound for windows over 12 days.
    public static let mostUnits: Int64 = 1 << 40

    /// The most entries that one sliding-window log may hold.
    public static let mostLogEntries: Int64 = 10_000

    /// The log size up to which a log is exact to the microsecond by default.
    public static let exactLogUnits: Int64 = 1_000

    /// At most `units` in every window of length `window`, exact to the microsecond up to 1,000 units.
    ///
    /// Above that the log has a thousand slots, and a unit comes back up to one slot late.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit``.
    public static func slidingWindowLog(_ units: Int64, per window: Duration) throws(LimiterError) -> Algorithm {
        let window = try checked(units, per: window)
        return .slidingWindowLog(SlidingWindowLog(units: units, window: window, slot: units <= exactLogUnits ? 1 : max(1, window / 1_000)))
    }

    /// At most `units` in every window of length `window`, in slots that share an entry; zero is exact to the microsecond.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit``, also when the log could have more than 10,000 entries.
    public static func slidingWindowLog(_ units: Int64, per window: Duration, resolution: Duration) throws(LimiterError) -> Algorithm {
        let window = try checked(units, per: window)
        let slot = max(1, resolution.wholeMicroseconds)
        guard resolution >= .zero, slot <= window else {
            throw LimiterError(.invalidLimit, "a log's resolution is \(resolution); expected zero up to the window")
        }
        guard min(units, window / slot) <= mostLogEntries else {
            let what = "a log of \(units) units with resolution \(resolution) may hold more than \(mostLogEntries) entries"
            throw LimiterError(.invalidLimit, "\(what); expected a coarser resolution")
        }
        return .slidingWindowLog(SlidingWindowLog(units: units, window: window, slot: slot))
    }

    /// `units` per `window`, refilled continuously, with a bucket of as many.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit``.
    public static func tokenBucket(_ units: Int64, per window: Duration) throws(LimiterError) -> Algorithm {
        try tokenBucket(units, per: window, burst: units)
    }

    /// `units` per `window`, refilled continuously, with a bucket of `burst` units.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit``, also when an empty bucket takes more than 400 days to fill.
    public static func tokenBucket(_ units: Int64, per window: Duration, burst: Int64) throws(LimiterError) -> Algorithm {
        let window = try checked(units, per: window)
        guard burst >= 0, burst <= mostUnits else {
            throw LimiterError(.invalidLimit, "a bucket's burst is \(burst); expected 0 to \(mostUnits)")
        }
        guard units > 0 || burst == 0 else {
            throw LimiterError(.invalidLimit, "a bucket of \(burst) units never refills; expected a rate above zero")
        }
        let bucket = TokenBucket(units: units, window: window, burst: burst)
        // burst * interval / divisor is the time to fill; both products are below 2^128.
        let needed = UInt64(burst).multipliedFullWidth(by: UInt64(bucket.interval))
        let allowed = UInt64(longestWindow.wholeMicroseconds).multipliedFullWidth(by: UInt64(bucket.divisor))
        guard (needed.high, needed.low) <= (allowed.high, allowed.low) else {
            throw LimiterError(.invalidLimit, "a bucket of \(burst) units takes longer than 400 days to fill")
        }
        return .tokenBucket(bucket)
    }

    /// At most `units` in each window aligned to the epoch.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit``.
    public static func fixedWindow(_ units: Int64, per window: Duration) throws(LimiterError) -> Algorithm {
        .fixedWindow(FixedWindow(units: units, window: try checked(units, per: window)))
    }

    /// About `units` per sliding window, from two counters; see ``SlidingWindowCounter`` for its error.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit``.
    public static func slidingWindowCounter(_ units: Int64, per window: Duration) throws(LimiterError) -> Algorithm {
        .slidingWindowCounter(SlidingWindowCounter(units: units, window: try checked(units, per: window)))
    }

    /// At most `slots` leases at once, each ending by itself after `timeToLive` without renewal.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit``.
    public static func concurrency(_ slots: Int64, timeToLive: Duration = .seconds(30)) throws(LimiterError) -> Algorithm {
        guard slots >= 0, slots <= mostLogEntries else {
            throw LimiterError(.invalidLimit, "a concurrency limit is \(slots); expected 0 to \(mostLogEntries) slots")
        }
        guard timeToLive >= .milliseconds(10), timeToLive <= .seconds(86_400) else {
            throw LimiterError(.invalidLimit, "a lease's time to live is \(timeToLive); expected 10 milliseconds to 1 day")
        }
        return .concurrency(Concurrency(slots: slots, timeToLive: timeToLive.wholeMicroseconds))
    }

    /// The window in microseconds, once window and units are known to be exact in 53 bits.
    private static func checked(_ units: Int64, per window: Duration) throws(LimiterError) -> Int64 {
        guard window >= .milliseconds(1), window <= longestWindow else {
            throw LimiterError(.invalidLimit, "a limit's window is \(window); expected 1 millisecond to 400 days")
        }
        let microseconds = window.wholeMicroseconds
        guard Duration.microseconds(microseconds) == window else {
            throw LimiterError(.invalidLimit, "a limit's window is \(window); expected whole microseconds")
        }
        guard units >= 0, units <= min(microseconds, mostUnits) else {
            throw LimiterError(
                .invalidLimit,
                "a limit has \(units) units; expected 0 to \(min(microseconds, mostUnits)), one a microsecond"
            )
        }
        return microseconds
    }
}

extension Algorithm {
    /// The name in policy files, on the wire and in metrics.
    public var name: Name {
        switch self {
        case .slidingWindowLog: .slidingWindowLog
        case .tokenBucket: .tokenBucket
        case .fixedWindow: .fixedWindow
        case .slidingWindowCounter: .slidingWindowCounter
        case .concurrency: .concurrency
        }
    }

    /// The algorithms' names.
    public enum Name: String, Sendable, Hashable, CaseIterable, Codable {
        /// Exact in every window.
        case slidingWindowLog = "sliding_window_log"
        /// A burst, refilled continuously.
        case tokenBucket = "token_bucket"
        /// Counters per aligned window.
        case fixedWindow = "fixed_window"
        /// Two counters and an estimate.
        case slidingWindowCounter = "sliding_window_counter"
        /// Held slots.
        case concurrency = "concurrency"
    }

    /// The most units that can be available at once: the limit, the burst of a bucket, or the slots.
    public var capacity: Int64 {
        switch self {
        case .slidingWindowLog(let log): log.units
        case .tokenBucket(let bucket): bucket.burst
        case .fixedWindow(let window): window.units
        case .slidingWindowCounter(let counter): counter.units
        case .concurrency(let concurrency): concurrency.slots
        }
    }

    /// The time in which the capacity comes back: the window, or a bucket's time to fill; `nil` for concurrency.
    public var window: Duration? {
        switch self {
        case .slidingWindowLog(let log): .microseconds(log.window)
        case .tokenBucket(let bucket): .microseconds(bucket.burst == 0 ? bucket.window : bucket.timeToFill)
        case .fixedWindow(let window): .microseconds(window.window)
        case .slidingWindowCounter(let counter): .microseconds(counter.window)
        case .concurrency: nil
        }
    }

    /// The length of a log's slots in microseconds; 1 where there are none.
    package var slot: Int64 {
        if case .slidingWindowLog(let log) = self { log.slot } else { 1 }
    }
}
