internal import Headgate

/// How often and when a call is sent again.
public struct RetryPolicy: Sendable, Hashable {
    /// After so many attempts a call is given up, the first one counted.
    public var attempts = 5
    /// The longest wait after the first attempt when the server names no time; it doubles with each.
    public var base: Duration = .seconds(1)
    /// The longest wait when the server names no time.
    public var cap: Duration = .seconds(30)

    /// Creates a policy with the defaults.
    public init() {}

    /// Sends each call once.
    public static let never: RetryPolicy = {
        var policy = RetryPolicy()
        policy.attempts = 1
        return policy
    }()

    /// The wait after so many attempts: any time up to `base`, doubled with each attempt up to `cap` ("full jitter").
    ///
    /// `random` is 0 up to 1.
    func backoff(after attempts: Int, random: Double) -> Duration {
        let longest = min(cap, base * (1 << min(max(0, attempts - 1), 30)))
        return .microseconds(Int64(Double(longest.wholeMicroseconds) * random))
    }

    /// The server's time and a little on top, at most a second, so that those who wait for one instant do not all come at once.
    func spread(_ time: Duration, random: Double) -> Duration {
        time + .microseconds(Int64(Double(min(time / 20, .seconds(1)).wholeMicroseconds) * random))
    }
}
