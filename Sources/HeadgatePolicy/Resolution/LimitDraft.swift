internal import Headgate

/// A limit in the making: begun by a tier or an endpoint rule, changed step by step, and counted out at the end.
struct LimitDraft {
    private(set) var value: Value
    private(set) var steps: [LimitStep]
    private let defaults: Defaults
    private var scale: Multiplier = 1
    private var boost: Multiplier = 1
    /// Whether a key's permission has put its rate in the place of the account's, and what other keys are counted by then.
    private var isForKey = false
    private var others: Counted?

    enum Value: Hashable {
        case unlimited
        /// The account should have brought its own limit.
        case custom
        case counted(Counted)
    }

    /// A quota with nothing left open.
    struct Counted: Hashable {
        var units: Int64
        var window: Duration
        var algorithm: Algorithm.Name
        var burst: Int64?
        var resolution: Duration?
        var onRedisFailure: FailurePolicy
        var mode: Limit.Mode
    }

    /// What holds where a rule says nothing.
    struct Defaults: Sendable, Hashable {
        var algorithm: Algorithm.Name
        var onRedisFailure: FailurePolicy
        /// The window of a rate of 0 that replaces no limit: it denies for good, so it shows in reports alone.
        static let window: Duration = .seconds(3_600)
    }

    init(_ rate: Rate, defaults: Defaults, step: LimitStep) {
        self.defaults = defaults
        value = .unlimited
        steps = []
        replace(with: rate, step: step)
    }

    private var counted: Counted? { if case .counted(let counted) = value { counted } else { nil } }

    /// Puts another rate in the place of this one.
    ///
    /// What it does not say stays as it was, so that the count stays the same one.
    mutating func replace(with rate: Rate, step: LimitStep) {
        steps.append(step)
        switch rate {
        case .unlimited: value = .unlimited
        case .custom: value = .custom
        case .limited(let quota): value = .counted(complete(quota))
        }
    }

    /// Puts the rate of a key's permission in the place of the account's.
    mutating func replaceForKey(with rate: Rate, step: LimitStep) {
        (isForKey, others) = (true, counted)
        replace(with: rate, step: step)
    }

    /// Puts the account's own limit in the place of this one.
    mutating func replace(with override: LimitOverride, id: String) throws(LimiterError) {
        switch override {
        case .unlimited:
            replace(with: .unlimited, step: .accountOverride(override))
        case .multiplied(let factor):
            try multiply(by: factor, step: .accountOverride(override))
        case .units(let units, let window):
            let mode = counted?.mode ?? .enforced
            replace(with: .limited(Quota(units: units, per: window, mode: mode)), step: .accountOverride(override))
        case .slots:
            throw LimiterError(.invalidLimit, "the account's own limit for '\(id)' is a number of slots; expected units per time")
        }
    }

    /// Multiplies; the product is rounded down once, at the end.
    mutating func multiply(by factor: Multiplier, step: LimitStep) throws(LimiterError) {
        guard factor != 1 else { return }
        guard let product = scale.times(factor) else {
            throw LimiterError(.invalidLimit, "multipliers have too many digits together")
        }
        scale = product
        steps.append(step)
    }

    /// Multiplies for a time: after all else, so that what is counted stays the same count.
    mutating func boost(by factor: Multiplier) {
        guard factor != 1 else { return }
        boost = factor
        steps.append(.boost(factor))
    }

    private func complete(_ quota: Quota) -> Counted {
        let base = counted
        let window = quota.window ?? base?.window ?? Defaults.window
        let sameWindow = base.flatMap { $0.window == window ? $0 : nil }
        var burst = quota.burst
        if burst == nil, let base = sameWindow, let old = base.burst, base.units > 0, quota.units > 0 {
            // Units that change within the same window keep the bucket's proportion, so its time to fill.
            burst = Int64(exactly: Int128(old) * Int128(quota.units) / Int128(base.units)).map { max(1, $0) }
        }
        return Counted(
            units: quota.units,
            window: window,
            algorithm: quota.algorithm ?? (quota.burst != nil ? .tokenBucket : base?.algorithm ?? defaults.algorithm),
            burst: burst,
            resolution: quota.resolution ?? sameWindow?.resolution,
            onRedisFailure: quota.onRedisFailure ?? base?.onRedisFailure ?? defaults.onRedisFailure,
            mode: quota.mode
        )
    }
}

extension LimitDraft {
    /// The limit, or nil when there is none; the tier is named in errors.
    func finished(id: String, tier: String) throws(LimiterError) -> Limit? {
        switch value {
        case .unlimited:
            return nil
        case .custom:
            throw LimiterError.customLimitMissing(id, tier: tier)
        case .counted(let counted):
            let made = try boosted(counted)
            return try Limit(countID(id, made), made, onRedisFailure: counted.onRedisFailure, mode: counted.mode)
        }
    }

    /// The id under which a limit is counted: the rule's, unless a key's permission counts over a time of its own.
    ///
    /// On one count with the account's other keys, either would forget what the other still needs.
    private func countID(_ id: String, _ made: Algorithm) throws(LimiterError) -> String {
        guard isForKey, made.capacity > 0, let window = made.window else { return id }
        if let others, try made.sharesCount(with: algorithm(others, by: scale)) { return id }
        return "\(id)@\(window.readable)"
    }

    /// Whether multiplying made nothing out of something.
    var vanishes: Bool {
        guard let counted else { return false }
        return (counted.units > 0 && scale.scale(counted.units) == 0) || (counted.burst.map { $0 > 0 && scale.scale($0) == 0 } ?? false)
    }

    /// The algorithm with the boost, if there is one.
    ///
    /// A boosted log keeps the slots of the plain one, so that its entries stay as they are; they grow only where the log would
    /// have more entries than one may hold.
    private func boosted(_ counted: Counted) throws(LimiterError) -> Algorithm {
        let plain = try algorithm(counted, by: scale)
        guard boost != 1 else { return plain }
        guard let factor = scale.times(boost) else { throw LimiterError(.invalidLimit, "multipliers have too many digits together") }
        guard case .slidingWindowLog(let log) = plain else { return try algorithm(counted, by: factor) }
        let units = try scaled(counted.units, by: factor)
        let window = counted.window.wholeMicroseconds
        let least = units <= Algorithm.mostLogEntries ? 1 : (window + Algorithm.mostLogEntries - 1) / Algorithm.mostLogEntries
        return try .slidingWindowLog(units, per: counted.window, resolution: .microseconds(max(log.slot, least)))
    }

    private func algorithm(_ counted: Counted, by scale: Multiplier) throws(LimiterError) -> Algorithm {
        let units = try scaled(counted.units, by: scale)
        switch counted.algorithm {
        case .slidingWindowLog:
            guard let resolution = counted.resolution else { return try .slidingWindowLog(units, per: counted.window) }
            return try .slidingWindowLog(units, per: counted.window, resolution: resolution)
        case .tokenBucket:
            let burst = try counted.burst.map { (written) throws(LimiterError) in try scaled(written, by: scale) } ?? units
            return try .tokenBucket(units, per: counted.window, burst: units == 0 ? 0 : burst)
        case .fixedWindow:
            return try .fixedWindow(units, per: counted.window)
        case .slidingWindowCounter:
            return try .slidingWindowCounter(units, per: counted.window)
        case .concurrency:
            throw LimiterError(.invalidLimit, "concurrency is no way to count units per time")
        }
    }

    private func scaled(_ units: Int64, by scale: Multiplier) throws(LimiterError) -> Int64 {
        guard let scaled = scale.scale(units) else {
            throw LimiterError(.invalidLimit, "\(units) units times \(scale) are more than can be counted exactly")
        }
        return scaled
    }
}
