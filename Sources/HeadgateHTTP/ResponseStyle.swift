/// How answers look: which header fields they carry, and the shape of an error's body.
///
/// Whatever the style, `Retry-After` stands on temporary 429s and on 503s, and `X-Headgate-Degraded`
/// on answers that were given without the store.
public struct ResponseStyle: Sendable, Hashable {
    /// The families of header fields that describe the limits; none when empty.
    public var headers: [HeaderStyle]

    /// Whether the `x-ratelimit` family has its window field.
    public var windowHeader: WindowHeader

    /// The shape of an error's body.
    public var errorBody: ErrorBody

    /// Creates a style.
    public init(headers: [HeaderStyle] = [.xRateLimit], windowHeader: WindowHeader = .included, errorBody: ErrorBody = .nested) {
        self.headers = headers
        self.windowHeader = windowHeader
        self.errorBody = errorBody
    }

    /// A family of header fields.
    public enum HeaderStyle: String, Sendable, Hashable, CaseIterable, Codable {
        /// `X-RateLimit-Limit`, `-Remaining`, `-Reset` (epoch second) and `-Window`, about the binding limit.
        case xRateLimit = "x-ratelimit"
        /// `RateLimit-Policy` and `RateLimit` as in drafts -08 to -11 of draft-ietf-httpapi-ratelimit-headers, about all limits.
        case ietf
    }

    /// Whether `X-RateLimit-Window` is sent.
    public enum WindowHeader: String, Sendable, Hashable, CaseIterable, Codable {
        /// It stands on answers whose binding limit has a window.
        case included
        /// It is never sent.
        case omitted
    }

    /// The shape of an error's body.
    public enum ErrorBody: String, Sendable, Hashable, CaseIterable, Codable {
        /// `error`, `message`, `code` and an object `details`.
        case nested
        /// `status`, `error`, `message` and `retry_after` in one object.
        case flat
        /// Problem details (RFC 9457) with the types of draft-ietf-httpapi-ratelimit-headers-11.
        case problem

        /// The media type of the body.
        public var contentType: String {
            switch self {
            case .nested, .flat: "application/json"
            case .problem: "application/problem+json"
            }
        }
    }
}
