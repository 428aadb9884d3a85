/// Makes one automaton of all patterns by the subset construction: a state is the set of places in patterns that a path may
/// have come to.
struct RouteAutomatonBuilder {
    /// The most states of an automaton.
    static let mostStates = 20_000
    /// The most places in all states together: bounds the time and memory of construction.
    static let mostPlaces = 4_000_000

    private enum Cell {
        case literal(Int32)
        case one
        case deep
        /// The end of the pattern of this number.
        case end(Int)
    }

    private var automaton = RouteAutomaton()
    private var cells: [Cell] = []
    private var starts: [Int32] = []
    private var referee: RouteReferee

    private var states: [[Int32]: Int32] = [:]
    private var queue: [[Int32]] = []
    /// How a state was first reached; for examples.
    private var origins: [(state: Int32, symbol: Int32?)] = []
    private var placeCount = 0

    init(_ referee: RouteReferee, caseSensitive: Bool) {
        self.referee = referee
        for pattern in referee.patterns {
            starts.append(Int32(cells.count))
            for segment in pattern.segments {
                switch segment {
                case .literal(let name): cells.append(.literal(symbol(caseSensitive ? name : name.lowercased())))
                case .one: cells.append(.one)
                case .deep: cells.append(.deep)
                }
            }
            cells.append(.end(starts.count - 1))
        }
        automaton.columns = referee.columns
        automaton.columnCount = referee.methods.count
    }

    private mutating func symbol(_ name: String) -> Int32 {
        if let symbol = automaton.symbols[name] { return symbol }
        let symbol = Int32(automaton.symbols.count)
        automaton.symbols[name] = symbol
        return symbol
    }

    /// The automaton of the patterns.
    mutating func build() throws(RouteProblems) -> RouteAutomaton {
        _ = state(of: Set(starts), from: (0, nil))
        var index = 0
        while index < queue.count {
            guard queue.count <= Self.mostStates, placeCount <= Self.mostPlaces else { throw RouteProblems(problems: [.tooComplex]) }
            expand(Int32(index))
            index += 1
        }
        var referee = referee
        for (index, places) in queue.enumerated() {
            let ended: [Int] = places.compactMap { place in if case .end(let pattern) = cells[Int(place)] { pattern } else { nil } }
            let outcomes = referee.judge(ended) { example(Int32(index)) }
            automaton.outcomes += outcomes
        }
        guard referee.problems.isEmpty else { throw RouteProblems(problems: referee.problems) }
        return automaton
    }

    /// Finds where each name leads from a state.
    private mutating func expand(_ state: Int32) {
        var always: Set<Int32> = []
        var byName: [Int32: Set<Int32>] = [:]
        for place in queue[Int(state)] {
            switch cells[Int(place)] {
            case .literal(let symbol): byName[symbol, default: []].insert(place + 1)
            case .one: always.insert(place + 1)
            case .deep: always.insert(place)
            case .end: break
            }
        }
        automaton.fallback.append(self.state(of: always, from: (state, nil)))
        // In order, so that examples are the same each time.
        for (symbol, places) in byName.sorted(by: { $0.key < $1.key }) where placeCount <= Self.mostPlaces {
            automaton.edges[RouteAutomaton.edge(state, symbol)] = self.state(of: always.union(places), from: (state, symbol))
        }
    }

    /// The state of these places and of those that are reached without a segment.
    private mutating func state(of places: Set<Int32>, from origin: (state: Int32, symbol: Int32?)) -> Int32 {
        var closed = places
        for var place in places {
            while case .deep = cells[Int(place)] {
                place += 1
                closed.insert(place)
            }
        }
        let key = closed.sorted()
        if let known = states[key] { return known }
        let state = Int32(queue.count)
        states[key] = state
        queue.append(key)
        origins.append(origin)
        placeCount += key.count
        return state
    }

    /// A path that leads to a state.
    private func example(_ state: Int32) -> String {
        let names = Dictionary(uniqueKeysWithValues: automaton.symbols.map { ($0.value, $0.key) })
        var other = "x"
        while automaton.symbols[other] != nil { other += "x" }
        var segments: [String] = []
        var state = state
        while state != 0 {
            let origin = origins[Int(state)]
            segments.append(origin.symbol.flatMap { names[$0] } ?? other)
            state = origin.state
        }
        return "/" + segments.reversed().joined(separator: "/")
    }
}
