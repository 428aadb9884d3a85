public import Headgate

/// What customers may do to their own limits for a time.
public struct BoostRules: Sendable, Hashable {
    /// The largest factor.
    public var maxMultiplier: Multiplier

    /// The longest time.
    public var maxDuration: Duration

    /// How many an account may have in a calendar month of UTC.
    public var perMonth: Int64

    /// Creates rules.
    public init(maxMultiplier: Multiplier = 2, maxDuration: Duration = .seconds(86_400), perMonth: Int64 = 1) {
        self.maxMultiplier = maxMultiplier
        self.maxDuration = maxDuration
        self.perMonth = perMonth
    }
}

/// When an account's use of a limit is an event.
public struct EventRules: Sendable, Hashable {
    /// The used shares, in percent from 1 to 100; 100 is a limit with nothing left.
    public var thresholds: [Int]

    /// Creates rules.
    public init(thresholds: [Int] = [80, 100]) { self.thresholds = thresholds }
}
