public import Headgate
public import HTTPTypes

extension Decision {
    /// The header fields that tell a client of this decision, whatever the answer's status.
    ///
    /// - The style's families of fields, which are left out when nothing limited is bound and when the store gave no answer.
    /// - `Retry-After` when the decision refuses for a time: a temporary 429, or a 503. An answer that reports a refusal without
    ///   being one, such as a status page, removes it.
    /// - `X-Headgate-Degraded` when the store gave no answer, with the reason and the failure policy that decided in its place:
    ///   `deadline_exceeded;policy=local`, an item of RFC 9651.
    public func headerFields(_ style: ResponseStyle) -> HTTPFields {
        var fields = HTTPFields()
        if style.headers.contains(.xRateLimit) { XRateLimitFields(self)?.write(to: &fields, window: style.windowHeader) }
        if style.headers.contains(.ietf) { RateLimitFields(self)?.write(to: &fields) }
        fields[.retryAfter] = retryAfterSeconds.map { String($0) }
        if let degradation, let degradedBy { fields[.headgateDegraded] = "\(degradation.code.snakeCase);policy=\(degradedBy.rawValue)" }
        return fields
    }
}
