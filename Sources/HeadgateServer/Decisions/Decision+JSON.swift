import HeadgateJSON
import Headgate
import HeadgateHTTP

extension JSONValue {
    /// A decision as `POST /v1/decisions` answers it.
    init(_ decision: Decision) {
        self = [
            "allowed": .boolean(decision.isAllowed),
            "outcome": .string(decision.outcome.rawValue),
            "binding": JSONValue(decision.bindingLimit?.id),
            "permanent": .boolean(decision.isPermanent),
            "retry_after_ms": JSONValue(decision.retryAfter?.millisecondsRoundedUp),
            "reset_at": JSONValue(decision.isPermanent ? nil : decision.resetTime?.rfc3339),
            "time_us": JSONValue(decision.time?.microseconds),
            "limits": .array(decision.limits.map { JSONValue($0, at: decision.time) }),
            "lease": JSONValue(decision.lease.map { LeaseToken.text(of: $0) }),
            "degraded": JSONValue(decision.degradation?.code.snakeCase),
            "degraded_by": JSONValue(decision.degradedBy?.rawValue),
        ]
    }

    /// One limit's part in a decision.
    init(_ status: LimitStatus, at time: StoreTime?) {
        let isJudged = status.remaining != nil
        let wait = status.verdict == .denied ? status.retryAfter : status.nextUnit
        self = [
            "id": .string(status.id),
            "name": .string(status.name),
            "role": .string(status.role.rawValue),
            "verdict": .string(status.verdict.rawValue),
            "mode": .string(status.mode.rawValue),
            "algorithm": JSONValue(status.algorithm?.rawValue),
            "limit": JSONValue(status.limit),
            "share": JSONValue(status.share),
            "remaining": JSONValue(status.remaining),
            "reserve": .integer(status.reserve),
            "held_back": .boolean(status.isHeldBack),
            "window_seconds": JSONValue(status.window?.secondsRoundedUp),
            "reset_at": JSONValue(isJudged ? time.flatMap { time in wait.map { (time + $0).rfc3339 } } : nil),
            "retry_after_ms": JSONValue(isJudged ? status.retryAfter?.millisecondsRoundedUp : nil),
            "full_after_ms": JSONValue(isJudged ? status.full.millisecondsRoundedUp : nil),
        ]
    }
}

extension Duration {
    /// The whole milliseconds of this duration, rounded up: nobody comes back early.
    var millisecondsRoundedUp: Int64 {
        let (quotient, remainder) = wholeMicroseconds.quotientAndRemainder(dividingBy: 1_000)
        return remainder > 0 ? quotient + 1 : quotient
    }
}
