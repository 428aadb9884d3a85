internal import Headgate

/// When what failed is tried again: after any time up to `base`, doubled with each attempt up to `cap` ("full jitter").
struct RetrySchedule: Sendable, Hashable {
    var base: Duration = .seconds(1)
    var cap: Duration = .seconds(300)
    /// After so many it is given up.
    var attempts = 8

    /// The wait after so many attempts; nil when they were enough.
    func wait(after attempts: Int, using random: inout some RandomNumberGenerator) -> Duration? {
        guard attempts < self.attempts else { return nil }
        let longest = min(cap, base * (1 << min(attempts - 1, 30)))
        return .microseconds(Int64.random(in: 0...longest.wholeMicroseconds, using: &random))
    }
}
