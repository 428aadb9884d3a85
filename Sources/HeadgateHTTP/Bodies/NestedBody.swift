import Headgate
import HTTPTypes
import HeadgateJSON

extension Refusal {
    /// `{"error":"RATE_LIMIT_EXCEEDED","message":…,"code":429,"details":{"limit":…,"remaining":…,"reset_at":…,"retry_after":…}}`.
    ///
    /// The details of a permanent denial are the limit and what remains, those of a 503 `retry_after`, those of an error its code and the
    /// field at fault.
    var nestedBody: JSONValue {
        switch self {
        case .denied(let decision):
            nested(
                error: "RATE_LIMIT_EXCEEDED",
                message: decision.isPermanent ? Refusal.neverFits : Refusal.heldBack(decision) ?? "Rate limit exceeded for endpoint",
                details: [
                    ("limit", decision.bindingLimit?.limit.map(JSONValue.integer)),
                    ("remaining", decision.bindingLimit?.remaining.map(JSONValue.integer)),
                    ("reset_at", decision.resetSecond.map { .string(RFC3339.string(epochSecond: $0)) }),
                    ("retry_after", decision.retryAfterSeconds.map(JSONValue.integer)),
                ]
            )
        case .unavailable:
            nested(
                error: shoutedPhrase,
                message: Refusal.limiterAway,
                details: [("retry_after", .integer(Decision.unavailableRetrySeconds))]
            )
        case .failed(let failure):
            nested(
                error: shoutedPhrase,
                message: failure.message,
                details: [("code", .string(failure.code)), ("field", field.map(JSONValue.string))]
            )
        }
    }

    private func nested(error: String, message: String, details: [(name: String, value: JSONValue?)]) -> JSONValue {
        .present([
            ("error", .string(error)),
            ("message", .string(message)),
            ("code", .integer(Int64(status.code))),
            ("details", .present(details)),
        ])
    }

    /// The status' phrase as a constant, `BAD_REQUEST` for instance.
    private var shoutedPhrase: String {
        String(status.reasonPhrase.uppercased().map { $0 == " " ? "_" : $0 })
    }
}
