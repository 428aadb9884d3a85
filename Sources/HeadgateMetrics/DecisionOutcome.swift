public import Headgate

/// How a decision is counted.
public enum DecisionOutcome: String, Sendable, Hashable, CaseIterable {
    /// The store allowed it.
    case allowed
    /// The store denied it, or no count would ever allow it.
    case denied
    /// It passed uncounted, by ``FailurePolicy/open``.
    case failOpenAllowed = "failopen_allowed"
    /// It was refused as unavailable, by ``FailurePolicy/closed``.
    case failClosedDenied = "failclosed_denied"
    /// A share had room for it, by ``FailurePolicy/local``.
    case localAllowed = "local_allowed"
    /// A share had no room for it, or it was not counted for want of memory, by ``FailurePolicy/local``.
    case localDenied = "local_denied"
    /// A limit in shadow mode would have denied it; counted beside the decision itself.
    case shadowDenied = "shadow_denied"

    /// How a decision is counted.
    public init(_ decision: Decision) {
        switch (decision.outcome, decision.degradedBy) {
        case (.allowed, nil): self = .allowed
        case (.allowed, .local): self = .localAllowed
        case (.allowed, .open), (.allowed, .closed): self = .failOpenAllowed
        case (.denied, .local): self = decision.isPermanent ? .denied : .localDenied
        case (.denied, _): self = .denied
        case (.unavailable, .local): self = .localDenied
        case (.unavailable, _): self = .failClosedDenied
        }
    }
}
