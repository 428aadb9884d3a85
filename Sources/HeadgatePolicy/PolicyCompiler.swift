internal import Headgate

/// Checks a definition as a whole and makes the policy of it.
struct PolicyCompiler {
    let definition: PolicyDefinition
    let maker: LimitMaker
    private(set) var problems: [InvalidPolicy.Problem] = []

    init(_ definition: PolicyDefinition) {
        self.definition = definition
        maker = LimitMaker(definition)
    }

    mutating func report(_ path: FieldPath, _ message: String) {
        problems.append(InvalidPolicy.Problem(path, message))
    }

    /// The policy, or everything that is wrong.
    mutating func compile() throws(InvalidPolicy) -> Policy {
        let basePath = checkBasics()
        checkNames()
        checkTiers()
        checkPermissions()
        checkAdditional()
        checkCosts()
        checkAccountRules()
        let matcher = compileRoutes()
        // Limits are made of names and numbers that are known to be sound.
        let tiers = problems.isEmpty ? compileTiers() : []
        guard let matcher, problems.isEmpty else { throw InvalidPolicy(problems) }
        let defaultTier = definition.defaultTier.flatMap { name in
            definition.tiers.firstIndex { $0.name == name || $0.aliases.contains(name) }
        }
        return Policy(definition: definition, basePath: basePath, matcher: matcher, maker: maker, tiers: tiers, defaultTier: defaultTier)
    }

    private mutating func checkBasics() -> String {
        if definition.name.isEmpty { report(.root.key("name"), "expected a name, found nothing") }
        if definition.algorithm == .concurrency {
            report(.root.key("algorithm"), "expected a way to count units per time; a tier's 'concurrency' limits concurrent requests")
        }
        do {
            let path = try CanonicalPath(definition.basePath)
            if path.text == "*" { report(.root.key("base_path"), "expected a path such as /v2, found '*'") }
            return path.text == "/" ? "" : path.text
        } catch {
            report(.root.key("base_path"), "expected a path such as /v2: \(error.message)")
            return ""
        }
    }

    /// Compiles all patterns; nil when something is wrong with them.
    private mutating func compileRoutes() -> RouteMatcher? {
        let classes = FieldPath.root.key("classes")
        guard !definition.classes.isEmpty else {
            report(classes, "expected at least one class, found none: every request has a class")
            return nil
        }
        do {
            return try RouteMatcher(
                classes: definition.classes.map(\.match),
                endpoints: definition.endpoints.map(\.match),
                additional: maker.additional.map(\.rule.match),
                caseSensitive: definition.caseSensitive
            )
        } catch {
            for problem in error.problems {
                switch problem {
                case .noClass(let example):
                    report(
                        classes,
                        "expected a class for every request, found none for '\(example)'; a last class of [\"* /**\"] takes the rest"
                    )
                case .tie(let first, let second, let example):
                    report(
                        .root.key("endpoints").index(second).key("match"),
                        "expected one most specific rule for every request, found a tie for '\(example)' between "
                            + "'\(definition.endpoints[first].match)' (endpoints[\(first)]) and "
                            + "'\(definition.endpoints[second].match)' (endpoints[\(second)])"
                    )
                case .tooComplex:
                    report(
                        .root.key("endpoints"),
                        "the patterns combine in too many ways; expected fewer that have ** before other segments"
                    )
                }
            }
            return nil
        }
    }
}
