/// What a limit does when the store gives no answer within the deadline.
public enum FailurePolicy: String, Sendable, Hashable, CaseIterable, Codable {
    /// The request passes, and the decision says that it was not counted.
    case open
    /// The request is refused as unavailable (HTTP 503, never 429).
    case closed

    /// Which policy decides for a request with several limits: `closed` beats `open`.
    package static func strictest(_ policies: some Sequence<FailurePolicy>) -> FailurePolicy {
        policies.contains(.closed) ? .closed : .open
    }
}
