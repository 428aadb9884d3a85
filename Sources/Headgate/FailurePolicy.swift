/// What a limit does when the store gives no answer within the deadline.
///
/// | policy | a request without the store | bound |
/// | --- | --- | --- |
/// | ``open`` | passes, uncounted | none |
/// | ``local`` | is judged by this process's share of the limit | N shares for N instances |
/// | ``closed`` | is refused as unavailable | nothing passes |
///
/// What no count would ever allow is denied for good under each of them, and limits in shadow mode never refuse.
public enum FailurePolicy: String, Sendable, Hashable, CaseIterable, Codable {
    /// The request passes, and the decision says that it was not counted.
    case open
    /// The request is judged by this process's share of the limit, which it counts in memory.
    ///
    /// With N live instances the share of a limit of L is L / N, rounded up, in the same window: N instances together admit at most
    /// N shares a window. What is counted so stays in the process until its window is over, and never goes into the store: several
    /// outages in one window use one share, and the store counts on from where it was. So a window that saw the store and its
    /// absence, in any order, holds at most the limit and N shares.
    case local
    /// The request is refused as unavailable (HTTP 503, never 429).
    case closed

    /// Which policy decides for a request with several limits: `closed` beats `local` beats `open`.
    package static func strictest(_ policies: some Sequence<FailurePolicy>) -> FailurePolicy {
        let policies = Set(policies)
        return policies.contains(.closed) ? .closed : policies.contains(.local) ? .local : .open
    }
}
