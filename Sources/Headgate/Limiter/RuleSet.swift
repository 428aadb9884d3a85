/// What maps requests to limits: a policy, or whatever a service puts in its place.
public protocol RuleSet: Sendable {
    /// The limits that apply to a request, in the order in which they are reported.
    ///
    /// - Throws: ``LimiterError`` with a code such as ``LimiterError/Code/unknownTier`` or ``LimiterError/Code/invalidPath``
    ///   when the request cannot be judged; the caller sees it before anything is charged.
    func limits(for request: LimitRequest) throws(LimiterError) -> [AppliedLimit]
}

/// One request as the rules see it.
public struct LimitRequest: Sendable, Hashable {
    /// Who asks.
    public var subject: Subject
    /// For what.
    public var endpoint: Endpoint
    /// Units that the request takes of each limit.
    public var cost: Cost
    /// How urgent it is.
    public var priority: Priority

    /// Creates a request.
    public init(subject: Subject, endpoint: Endpoint, cost: Cost = .ofEndpoint, priority: Priority = .normal) {
        self.subject = subject
        self.endpoint = endpoint
        self.cost = cost
        self.priority = priority
    }
}

/// How many units a request takes of each limit.
public enum Cost: Sendable, Hashable, ExpressibleByIntegerLiteral {
    /// What the rules say of the endpoint; 1 where they say nothing.
    case ofEndpoint
    /// So many units, whatever the rules say.
    case units(Int64)

    /// So many units.
    public init(integerLiteral units: Int64) { self = .units(units) }

    /// The units, where the rules say so many.
    public func units(ofEndpoint ruled: Int64 = 1) -> Int64 {
        switch self {
        case .ofEndpoint: ruled
        case .units(let units): units
        }
    }
}

/// One limit that applies to a request.
public struct AppliedLimit: Sendable, Hashable {
    /// The name that customers know it by, `read_operations` for instance.
    public var name: String

    /// Which rule it comes from.
    public var role: Role

    /// What is counted; `nil` when the rule says `unlimited`.
    public var charge: Charge?

    /// The limit's id, also when it is unlimited.
    public var id: String

    /// The kinds of rule.
    public enum Role: String, Sendable, Hashable, Codable {
        /// The operation class that the request belongs to.
        case operationClass = "class"
        /// A rule for the endpoint, on top of the class.
        case endpoint
        /// A rule on top of class and endpoint, such as one per key or per address.
        case additional
        /// Concurrent requests.
        case concurrency
        /// A limit given at the call, without a policy.
        case direct
    }

    /// Creates an applied limit.
    public init(name: String, role: Role, id: String, charge: Charge?) {
        self.name = name
        self.role = role
        self.id = id
        self.charge = charge
    }
}

/// The rules of a limiter that judges only limits given at the call.
public struct NoRules: RuleSet {
    /// Creates empty rules.
    public init() {}

    /// Always refuses.
    /// - Throws: ``LimiterError/Code/noRules``.
    public func limits(for request: LimitRequest) throws(LimiterError) -> [AppliedLimit] {
        throw LimiterError(.noRules, "this limiter has no policy; create it with rules, or give the limits at the call")
    }
}
