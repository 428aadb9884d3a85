import Headgate
import HTTPTypes
import HeadgateJSON

extension Refusal {
    /// `{"status":429,"error":"Too Many Requests","message":"Rate limit exceeded. Please try again in 15 seconds.","retry_after":15}`.
    ///
    /// A permanent denial has no `retry_after`; an error has its `code` in that place, and behind it the `field` at fault.
    var flatBody: JSONValue {
        let last: (name: String, value: JSONValue?) =
            switch self {
            case .denied(let decision): ("retry_after", decision.retryAfterSeconds.map(JSONValue.integer))
            case .unavailable: ("retry_after", .integer(Decision.unavailableRetrySeconds))
            case .failed(let failure): ("code", .string(failure.code))
            }
        return .present([
            ("status", .integer(Int64(status.code))),
            ("error", .string(status.reasonPhrase)),
            ("message", .string(sentence)),
            last,
            ("field", field.map(JSONValue.string)),
        ])
    }
}
