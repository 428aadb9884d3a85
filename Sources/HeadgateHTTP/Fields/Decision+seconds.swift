package import Headgate

extension Decision {
    /// The advice of our own 503s, in seconds: an instance whose Redis went away asks it again at once.
    package static let unavailableRetrySeconds: Int64 = 1

    /// `Retry-After` and `retry_after`: whole seconds, rounded up, at least 1 (RFC 9110 10.2.3).
    ///
    /// `nil` when the request is allowed, and when no wait would ever make it fit.
    package var retryAfterSeconds: Int64? {
        switch outcome {
        case .allowed: nil
        case .denied: retryAfter.map { max(1, $0.secondsRoundedUp) }
        case .unavailable: Decision.unavailableRetrySeconds
        }
    }

    /// `X-RateLimit-Reset` and `reset_at`: the epoch second, by the store's clock, at or after the instant.
    ///
    /// `nil` on a permanent denial, where no such instant exists.
    package var resetSecond: Int64? { isPermanent ? nil : resetTime?.epochSecondsRoundedUp }
}

extension Duration {
    /// The whole seconds of this duration, rounded up; zero when it is negative.
    package var secondsRoundedUp: Int64 {
        let (seconds, attoseconds) = components
        let (next, overflow) = seconds.addingReportingOverflow(attoseconds > 0 ? 1 : 0)
        return overflow ? .max : max(0, next)
    }
}
