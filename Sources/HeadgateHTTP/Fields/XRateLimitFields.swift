import Headgate
import HTTPTypes

/// The `X-RateLimit` fields of a decision.
struct XRateLimitFields {
    let limit: Int64
    let remaining: Int64
    /// `nil` on a permanent denial.
    let reset: Int64?
    /// `nil` for concurrency.
    let window: Int64?

    /// The fields, or `nil` when nothing limited is bound: all limits are unlimited or the answer was given without the store.
    ///
    /// There is no reset on a permanent denial: on a 429 it means the time at which the request would fit, and clients that find
    /// no `Retry-After` sleep until then and ask again.
    init?(_ decision: Decision) {
        guard !decision.isDegraded, let binding = decision.bindingLimit else { return nil }
        guard let limit = binding.limit, let remaining = binding.remaining else { return nil }
        self.limit = limit
        self.remaining = remaining
        reset = decision.resetSecond
        window = binding.window.map { max(1, $0.secondsRoundedUp) }
    }

    func write(to fields: inout HTTPFields, window windowHeader: ResponseStyle.WindowHeader) {
        fields[.xRateLimitLimit] = String(limit)
        fields[.xRateLimitRemaining] = String(remaining)
        fields[.xRateLimitReset] = reset.map { String($0) }
        if windowHeader == .included { fields[.xRateLimitWindow] = window.map { String($0) } }
    }
}
