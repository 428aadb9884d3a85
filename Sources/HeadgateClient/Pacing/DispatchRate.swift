/// How many requests of a key are sent in a time at most, whatever the server allows.
public enum DispatchRate: Sendable, Hashable {
    /// As many as the server allows.
    case unlimited
    /// So many in each time of this length, evenly spread.
    case atMost(Int, per: Duration)

    /// The time between two requests.
    var interval: Duration {
        switch self {
        case .unlimited: .zero
        case .atMost(let count, let time): time / max(1, count)
        }
    }
}
