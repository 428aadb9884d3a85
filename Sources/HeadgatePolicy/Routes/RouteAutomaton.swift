/// A deterministic automaton over the segments of a path.
struct RouteAutomaton: Sendable {
    /// The names that occur in patterns; all others are alike.
    var symbols: [String: Int32] = [:]
    /// The next state by state and symbol, where it differs from `fallback`.
    var edges: [UInt64: Int32] = [:]
    /// The next state for all other names.
    var fallback: [Int32] = []
    /// The columns of the methods that rules tell apart; column 0 is for all others.
    var columns: [String: Int] = [:]
    /// One for each state and column.
    var outcomes: [RouteMatcher.Match] = []
    var columnCount = 1

    static func edge(_ state: Int32, _ symbol: Int32) -> UInt64 { UInt64(UInt32(state)) << 32 | UInt64(UInt32(symbol)) }

    func next(_ state: Int32, _ name: String) -> Int32 {
        guard let symbol = symbols[name], let next = edges[Self.edge(state, symbol)] else { return fallback[Int(state)] }
        return next
    }

    func match(_ state: Int32, method: String) -> RouteMatcher.Match {
        // Some servers do not care for a method's case, so a limit cannot be dodged by it.
        let column = columns[method] ?? columns[method.uppercased()] ?? 0
        return outcomes[Int(state) * columnCount + column]
    }
}
