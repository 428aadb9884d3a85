import HeadgatePolicy

/// Matching as it is defined, slow and plain: the oracle of the automaton.
struct RouteReference {
    let classes: [[RoutePattern]]
    let endpoints: [RoutePattern]

    func operationClass(_ method: String, _ path: String) -> Int? {
        classes.firstIndex { $0.contains { rank($0, method) != nil && matches($0, path) } }
    }

    /// The most specific endpoint rules; more than one is a tie.
    func endpoints(_ method: String, _ path: String) -> [Int] {
        let candidates = endpoints.indices.filter { rank(endpoints[$0], method) != nil && matches(endpoints[$0], path) }
        return candidates.filter { one in !candidates.contains { isMoreSpecific($0, one, method) } }
    }

    private func rank(_ pattern: RoutePattern, _ method: String) -> Int? {
        switch pattern.method {
        case nil: 1
        case method: 3
        case "GET" where method == "HEAD": 2
        default: nil
        }
    }

    /// Literal, then `*`, then the end, then `**` or a trailing `*`.
    private func ranks(_ pattern: RoutePattern) -> [Int] {
        let names = self.names(pattern.path)
        return names.map { $0 == "**" ? 1 : $0 == "*" ? 3 : 4 } + [2]
    }

    private func isMoreSpecific(_ left: Int, _ right: Int, _ method: String) -> Bool {
        for (a, b) in zip(ranks(endpoints[left]), ranks(endpoints[right])) where a != b { return a > b }
        return (rank(endpoints[left], method) ?? 0) > (rank(endpoints[right], method) ?? 0)
    }

    /// The pattern's segments, a trailing `*` written as `**`.
    private func names(_ path: String) -> [String] {
        var names = path.split(separator: "/").map(String.init)
        if names.last == "*" { names[names.count - 1] = "**" }
        return names.reduce(into: []) { if $1 != "**" || $0.last != "**" { $0.append($1) } }
    }

    private func matches(_ pattern: RoutePattern, _ path: String) -> Bool {
        matches(names(pattern.path)[...], path.split(separator: "/").map(String.init)[...])
    }

    private func matches(_ pattern: ArraySlice<String>, _ path: ArraySlice<String>) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == "**" {
            return matches(pattern.dropFirst(), path) || (!path.isEmpty && matches(pattern, path.dropFirst()))
        }
        guard let segment = path.first, first == "*" || first == segment else { return false }
        return matches(pattern.dropFirst(), path.dropFirst())
    }
}
