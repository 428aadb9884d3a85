/// How urgent a call is: among those that wait, more urgent ones go first, and within a priority the one that came first.
///
/// None waits for ever: now and then a less urgent call goes too (``QueueConfiguration/mostOvertaking``).
///
/// Sent as `X-Priority`; a server that keeps units back from low priorities then knows. Nothing is sent for ``normal``.
public enum CallPriority: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Before all others.
    case high
    /// What calls have that say nothing.
    case normal
    /// After all others, nearly.
    case low

    /// Its place among all priorities, from 0 for the most urgent.
    var rank: Int {
        switch self {
        case .high: 0
        case .normal: 1
        case .low: 2
        }
    }

    /// Orders by urgency, the most urgent first.
    public static func < (left: CallPriority, right: CallPriority) -> Bool { left.rank < right.rank }
}
