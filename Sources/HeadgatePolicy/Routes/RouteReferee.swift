/// Decides between the patterns that match the same path.
struct RouteReferee {
    /// The methods that patterns tell apart; the first stands for all others.
    let methods: [String]
    /// The position of each method.
    let columns: [String: Int]
    /// What was found wrong so far.
    private(set) var problems: [RouteProblems.Problem] = []

    /// Those of the classes, then the endpoint rules', then those of the additional rules.
    let patterns: [RoutePattern]
    private let specificities: [[UInt8]]
    /// For each pattern of a class: the class and the pattern's position in it.
    private let classPatterns: [(operationClass: Int, pattern: Int)]
    /// For each pattern of an additional rule: the rule.
    private let additionalRules: [Int]
    private let firstAdditional: Int
    private var ties: Set<[Int]> = []
    private var reportedMissingClass = false

    init(classes: [[RoutePattern]], endpoints: [RoutePattern], additional: [[RoutePattern]]) {
        patterns = classes.joined() + endpoints + additional.joined()
        firstAdditional = classes.joined().count + endpoints.count
        additionalRules = additional.enumerated().flatMap { index, patterns in patterns.map { _ in index } }
        specificities = patterns.map(\.specificity)
        classPatterns = classes.enumerated().flatMap { index, patterns in patterns.indices.map { (index, $0) } }
        // HEAD has a column of its own in any case, because it counts as GET.
        let named = Set(patterns.compactMap(\.method)).union(["HEAD"]).sorted()
        let other = ["PATCH", "TRACE", "PURGE"].first { !named.contains($0) } ?? "ANY-OTHER-METHOD"
        methods = [other] + named
        columns = Dictionary(uniqueKeysWithValues: named.enumerated().map { ($1, $0 + 1) })
    }

    /// What the paths that end all of these patterns belong to, for each method.
    mutating func judge(_ ended: [Int], example: () -> String) -> [RouteMatcher.Match] {
        methods.enumerated().map { column, method in
            var first: Int?
            var best: [Int] = []
            var additional: Set<Int> = []
            for pattern in ended {
                guard let rank = rank(pattern, column: column) else { continue }
                if pattern >= firstAdditional {
                    additional.insert(additionalRules[pattern - firstAdditional])
                } else if pattern < classPatterns.count {
                    first = min(first ?? pattern, pattern)
                } else if let leader = best.first, let leading = self.rank(leader, column: column) {
                    if specificities[pattern] == specificities[leader], rank == leading {
                        best.append(pattern)
                    } else if isBefore((specificities[leader], leading), (specificities[pattern], rank)) {
                        best = [pattern]
                    }
                } else {
                    best = [pattern]
                }
            }
            if best.count > 1 { reportTie(best, "\(method) \(example())") }
            guard let first else {
                reportMissingClass("\(method) \(example())")
                return RouteMatcher.Match(operationClass: 0, pattern: 0, endpoint: nil, additional: [])
            }
            let (operationClass, pattern) = classPatterns[first]
            return RouteMatcher.Match(
                operationClass: operationClass,
                pattern: pattern,
                endpoint: best.first.map { $0 - classPatterns.count },
                additional: additional.sorted()
            )
        }
    }

    /// How well a pattern's method fits: 1 any, 2 GET for HEAD, 3 the method itself; nil not at all.
    private func rank(_ pattern: Int, column: Int) -> Int? {
        guard let method = patterns[pattern].method else { return 1 }
        if column > 0, method == methods[column] { return 3 }
        return column > 0 && methods[column] == "HEAD" && method == "GET" ? 2 : nil
    }

    private func isBefore(_ left: (path: [UInt8], method: Int), _ right: (path: [UInt8], method: Int)) -> Bool {
        left.path == right.path ? left.method < right.method : left.path.lexicographicallyPrecedes(right.path)
    }

    private mutating func reportTie(_ patterns: [Int], _ example: String) {
        for other in patterns.dropFirst() {
            let pair = [patterns[0], other].map { $0 - classPatterns.count }.sorted()
            guard ties.insert(pair).inserted else { continue }
            problems.append(.tie(pair[0], pair[1], example: example))
        }
    }

    private mutating func reportMissingClass(_ example: String) {
        guard !reportedMissingClass else { return }
        reportedMissingClass = true
        problems.append(.noClass(example: example))
    }
}
