public import Headgate
public import HTTPTypes
import HeadgateJSON

extension ResponseStyle {
    /// The answer to a request that a decision refuses, or `nil` when it is allowed.
    ///
    /// - 429 (RFC 6585 4) when a limit denies. A permanent denial, of a request that costs more than the limit ever has, bears
    ///   neither `Retry-After`, `X-RateLimit-Reset`, `retry_after` nor `reset_at`, and its message says so.
    /// - 503 when the store gave no answer and a limit fails closed, or the process has no room to count its share, with `Retry-After: 1`.
    public func refusal(for decision: Decision) -> HTTPRefusal? {
        switch decision.outcome {
        case .allowed: nil
        case .denied: answer(.denied(decision), fields: decision.headerFields(self))
        case .unavailable: answer(.unavailable, fields: decision.headerFields(self))
        }
    }

    /// The answer to a request that could not be judged.
    ///
    /// A request that is wrong in itself is answered 400, with the error's code in snake case: `bad_request`, `invalid_path`,
    /// `invalid_limit`, `unknown_tier` or `custom_limit_missing`. A lease that has ended is 404, a second refund 409, a limiter
    /// without rules 500. Everything else is our own trouble: 503 with `Retry-After: 1`.
    ///
    /// Only the messages of `bad_request`, `invalid_path` and `invalid_limit`, which speak of the request, are passed on. No
    /// other message and no cause reaches the client, so that no address, key or script text does.
    public func refusal(for error: LimiterError) -> HTTPRefusal {
        var fields = HTTPFields()
        if let failure = Failure(error) { return answer(.failed(failure), fields: fields) }
        fields[.retryAfter] = String(Decision.unavailableRetrySeconds)
        fields[.headgateDegraded] = error.code.snakeCase
        return answer(.unavailable, fields: fields)
    }

    /// The answer to a request that is refused for a reason of the caller's own, such as an unknown key or a wrong field.
    ///
    /// - Parameters:
    ///   - status: The status.
    ///   - code: The reason in snake case, for programs.
    ///   - message: The reason for people; it reaches the client as it is.
    ///   - field: The field of the request that is at fault.
    ///   - headerFields: More fields of the answer.
    /// - Returns: The answer, with the style's body.
    public func refusal(
        _ status: HTTPResponse.Status,
        code: String,
        message: String,
        field: String? = nil,
        headerFields: HTTPFields = HTTPFields()
    ) -> HTTPRefusal {
        answer(.failed(Failure(status, code, message, field: field)), fields: headerFields)
    }

    private func answer(_ refusal: Refusal, fields: HTTPFields) -> HTTPRefusal {
        var fields = fields
        fields[.contentType] = errorBody.contentType
        let body =
            switch errorBody {
            case .nested: refusal.nestedBody
            case .flat: refusal.flatBody
            case .problem: refusal.problemBody
            }
        return HTTPRefusal(status: refusal.status, headerFields: fields, body: body.bytes)
    }
}
