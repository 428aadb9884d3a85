import Headgate
import HeadgatePolicy
import Testing

@Suite("Matching of routes")
struct RouteMatcherTests {
    static func patterns(_ texts: [String]) throws -> [RoutePattern] { try texts.map { try RoutePattern($0) } }

    static func matcher(_ endpoints: [String], caseSensitive: Bool = true) throws -> RouteMatcher {
        try RouteMatcher(classes: [[RoutePattern("* /**")]], endpoints: patterns(endpoints), caseSensitive: caseSensitive)
    }

    @Test("The automaton finds what the definition says, on generated rules and paths")
    func reference() throws {
        var random = FixedRandom(state: 42)
        let names = ["a", "b", "c", "*", "**"]
        let methods = ["GET", "POST", "HEAD", "*", "*"]
        var compared = 0
        var found = 0
        var ties = 0
        for _ in 0..<600 {
            func pattern() throws -> RoutePattern {
                let path = (0..<Int.random(in: 0...4, using: &random)).map { _ in "/" + (names.randomElement(using: &random) ?? "") }
                return try RoutePattern("\(methods.randomElement(using: &random) ?? "*") \(path.isEmpty ? "/" : path.joined())")
            }
            let classes = [[try pattern(), try pattern()], [try pattern()], [try RoutePattern("* /**")]]
            let endpoints = try (0..<Int.random(in: 0...6, using: &random)).map { _ in try pattern() }
            let reference = RouteReference(classes: classes, endpoints: endpoints)
            let matcher: RouteMatcher
            do {
                matcher = try RouteMatcher(classes: classes, endpoints: endpoints, caseSensitive: true)
            } catch {
                for case .tie(let first, let second, let example) in error.problems {
                    let words = example.split(separator: " ").map(String.init)
                    #expect(Set(reference.endpoints(words[0], words[1])).isSuperset(of: [first, second]), "\(endpoints) \(example)")
                    ties += 1
                }
                continue
            }
            for _ in 0..<40 {
                let method = ["GET", "POST", "HEAD", "PATCH"].randomElement(using: &random) ?? ""
                let path =
                    "/"
                    + (0..<Int.random(in: 0...5, using: &random)).map { _ in ["a", "b", "c", "d"].randomElement(using: &random) ?? "" }
                    .joined(separator: "/")
                let match = matcher.match(method: method, path: path)
                #expect(match.operationClass == reference.operationClass(method, path), "\(classes) \(method) \(path)")
                let expected = reference.endpoints(method, path)
                #expect(expected.count <= 1 && match.endpoint == expected.first, "\(endpoints) \(method) \(path)")
                compared += 1
                if match.endpoint != nil { found += 1 }
            }
        }
        #expect(compared > 5_000 && found > 1_000 && ties >= 50, "\(compared) \(found) \(ties)")
    }

    @Test(
        "The most specific rule wins, from the left",
        arguments: [
            (["GET /a/*", "GET /a/b"], "GET", "/a/b", 1),
            (["GET /a/*", "GET /a/b"], "GET", "/a", 0),
            (["GET /a/*", "GET /a"], "GET", "/a", 1),
            (["GET /a/*/c", "GET /a/b/*"], "GET", "/a/b/c", 1),
            (["GET /*/b", "GET /a/**"], "GET", "/a/b", 1),
            (["GET /a/*", "GET /a/*/c"], "GET", "/a/b/c", 1),
            (["GET /a/**/z", "GET /a/*"], "GET", "/a/b/z", 0),
            (["* /a/b", "GET /a/*"], "GET", "/a/b", 0),
            (["* /a/b", "GET /a/b"], "GET", "/a/b", 1),
            (["* /a/b", "GET /a/b"], "POST", "/a/b", 0),
            (["GET /a", "* /a"], "HEAD", "/a", 0),
            (["GET /a", "HEAD /a"], "HEAD", "/a", 1),
            (["GET /a", "HEAD /a"], "GET", "/a", 0),
            (["GET /a", "* /a/*"], "get", "/a", 0),
            (["GET /**", "GET /"], "GET", "/", 1),
        ] as [([String], String, String, Int)]
    )
    func specificity(_ endpoints: [String], _ method: String, _ path: String, _ winner: Int) throws {
        #expect(try Self.matcher(endpoints).match(method: method, path: path).endpoint == winner)
    }

    @Test("A rule for GET is none for POST")
    func otherMethod() throws {
        #expect(try Self.matcher(["GET /a", "HEAD /b"]).match(method: "POST", path: "/a").endpoint == nil)
        #expect(try Self.matcher(["GET /a", "HEAD /b"]).match(method: "GET", path: "/b").endpoint == nil)
    }

    @Test("Case counts unless told otherwise")
    func caseSensitivity() throws {
        #expect(try Self.matcher(["GET /Ab"]).match(method: "GET", path: "/aB").endpoint == nil)
        #expect(try Self.matcher(["GET /Ab"], caseSensitive: false).match(method: "GET", path: "/aB").endpoint == 0)
    }

    @Test(
        "Two rules that are equally specific for a request are an error that names both",
        arguments: [
            (["GET /a/*", "GET /a/**"], "GET /a"), (["GET /a", "GET /a"], "GET /a"), (["GET /**/a/**", "GET /**/b/**"], "GET /a/b"),
        ]
    )
    func tie(_ endpoints: [String], _ example: String) {
        let error = #expect(throws: RouteProblems.self) { try Self.matcher(endpoints) }
        #expect(error?.problems.contains(.tie(0, 1, example: example)) == true, "\(error?.problems ?? [])")
    }

    @Test("A request without a class is an error with an example")
    func coverage() throws {
        for (classes, example) in [(["GET /**"], "PATCH /"), (["* /a/**", "* /"], "PATCH /x"), (["* /*/x"], "PATCH /")] {
            let error = #expect(throws: RouteProblems.self) {
                try RouteMatcher(classes: [Self.patterns(classes)], endpoints: [], caseSensitive: true)
            }
            #expect(error?.problems == [.noClass(example: example)])
        }
    }

    @Test("Patterns that combine without end are refused, soon")
    func complexity() throws {
        let deep = (0..<12).map { "GET /**/a\($0)" + String(repeating: "/*", count: 12) + "/z" }
        #expect(throws: RouteProblems(problems: [.tooComplex])) { try Self.matcher(deep) }
    }

    @Test("A thousand rules take no longer to match than one")
    func many() throws {
        let rules = (0..<1_000).map { "GET /v\($0)/items/*/part" }
        let matcher = try Self.matcher(rules)
        for index in [0, 500, 999] { #expect(matcher.match(method: "GET", path: "/v\(index)/items/7/part").endpoint == index) }
        #expect(matcher.match(method: "GET", path: "/v1000/items/7/part").endpoint == nil)
    }

    @Test(
        "What is no pattern is refused",
        arguments: [
            "GET", "/a", "GET a", "GET /a b", "GET /a?x", "GET /{id}", "GET /:id", "GET /a*", "GET /***", "G{T /a", "GET /a%2Fb",
            "GET /a;x", "",
        ]
    )
    func badPattern(_ text: String) {
        #expect(throws: LimiterError.self) { try RoutePattern(text) }
    }
}
