/// How the answers to an API's callers look.
public struct ResponseOptions: Sendable, Hashable {
    /// Which rate-limit header fields are sent; empty for none.
    public var headers: [HeaderStyle]

    /// Whether `X-RateLimit-Window` is one of them.
    public var windowHeader: Bool

    /// The body of a refusal.
    public var errorBody: ErrorBody

    /// A family of header fields.
    public enum HeaderStyle: String, Sendable, Hashable, CaseIterable, Codable {
        /// `X-RateLimit-Limit`, `-Remaining`, `-Reset` and `-Window`, about the binding limit.
        case xRateLimit = "x-ratelimit"
        /// `RateLimit-Policy` and `RateLimit` of the IETF draft, about all limits.
        case ietf
    }

    /// A form of body for refusals.
    public enum ErrorBody: String, Sendable, Hashable, CaseIterable, Codable {
        /// An error code with `details` inside.
        case nested
        /// Status, error, message and `retry_after` side by side.
        case flat
        /// `application/problem+json` of RFC 9457.
        case problem
    }

    /// Creates response options.
    public init(headers: [HeaderStyle] = [.xRateLimit], windowHeader: Bool = true, errorBody: ErrorBody = .problem) {
        self.headers = headers
        self.windowHeader = windowHeader
        self.errorBody = errorBody
    }
}
