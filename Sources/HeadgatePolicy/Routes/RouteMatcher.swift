/// Finds the class, the endpoint rule and the additional rules of a request, in time that grows with the path and not with the rules.
package struct RouteMatcher: Sendable {
    let automaton: RouteAutomaton
    let caseSensitive: Bool

    /// What a request belongs to.
    package struct Match: Sendable, Hashable {
        /// The class's position.
        package let operationClass: Int
        /// The position, within the class, of the first pattern that matches.
        package let pattern: Int
        /// The endpoint rule's position.
        package let endpoint: Int?
        /// The additional rules' positions, in order.
        package let additional: [Int]
    }

    /// Compiles the patterns of the classes, of which the first that matches counts, and of the endpoint rules, of which the most
    /// specific does, and of the additional rules, of which all do.
    package init(
        classes: [[RoutePattern]],
        endpoints: [RoutePattern],
        additional: [[RoutePattern]] = [],
        caseSensitive: Bool
    ) throws(RouteProblems) {
        let referee = RouteReferee(classes: classes, endpoints: endpoints, additional: additional)
        var builder = RouteAutomatonBuilder(referee, caseSensitive: caseSensitive)
        automaton = try builder.build()
        self.caseSensitive = caseSensitive
    }

    /// What a method and a canonical path, without its base path, belong to.
    package func match(method: String, path: some StringProtocol) -> Match {
        var state: Int32 = 0
        var rest = path.utf8[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            if end > rest.startIndex {
                let name = String(path[rest.startIndex..<end])
                state = automaton.next(state, caseSensitive ? name : name.lowercased())
            }
            rest = rest[end...].dropFirst()
        }
        return automaton.match(state, method: method)
    }
}

/// Why patterns cannot be compiled.
package struct RouteProblems: Error, Sendable, Hashable {
    package let problems: [Problem]

    package init(problems: [Problem]) { self.problems = problems }

    package enum Problem: Sendable, Hashable {
        /// Two endpoint rules are equally specific for a request.
        case tie(Int, Int, example: String)
        /// A request has no class.
        case noClass(example: String)
        /// The patterns combine in too many ways.
        case tooComplex
    }
}
