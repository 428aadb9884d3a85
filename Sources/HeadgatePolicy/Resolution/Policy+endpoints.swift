public import Headgate

extension Policy {
    /// The permission that lets a key boost its account's limits.
    public static let boostPermission = "boost"

    /// How many units a request for an endpoint takes.
    ///
    /// - Throws: ``LimiterError/Code/invalidPath``.
    public func cost(of endpoint: Endpoint) throws(LimiterError) -> CostRule { try rule(for: endpoint)?.cost ?? .units(1) }

    /// The response statuses for which a request for an endpoint gets its units back.
    ///
    /// - Throws: ``LimiterError/Code/invalidPath``.
    public func refunds(of endpoint: Endpoint) throws(LimiterError) -> [StatusPattern] {
        try rule(for: endpoint)?.refundOn ?? definition.refundOn
    }

    /// Whether any response gives units back, so that others need not be looked at.
    public var hasRefunds: Bool { !definition.refundOn.isEmpty || definition.endpoints.contains { $0.refundOn?.isEmpty == false } }

    /// The ids of the classes in the order in which a tier shows them to customers.
    ///
    /// - Throws: ``LimiterError/Code/unknownTier``.
    package func shownClasses(inTier name: String?) throws(LimiterError) -> [String] {
        let order = try tier(named: name).rule.order
        return order + definition.classes.map(\.id).filter { !order.contains($0) }
    }

    /// The ids of all limits that accounts can have overrides for.
    public var limitIDs: [String] {
        definition.classes.map(\.id) + definition.endpoints.filter { $0.limit != nil }.map(\.id) + maker.additional.map(\.rule.id)
            + [ConcurrencyRule.limitID]
    }

    /// The permissions that change something: those of the policy, those that a priority takes, and `boost`.
    public var knownPermissions: Set<String> {
        Set(maker.permissions.keys).union(definition.priorities.compactMap(\.requires)).union([Policy.boostPermission])
    }

    /// A path as the patterns see it: canonical, and without the base path.
    ///
    /// - Throws: ``LimiterError/Code/invalidPath``.
    public func routePath(of path: String) throws(LimiterError) -> String { String(routePath(of: try CanonicalPath(path)).path) }

    private func rule(for endpoint: Endpoint) throws(LimiterError) -> EndpointRule? {
        let path = try CanonicalPath(endpoint.path)
        return matcher.match(method: endpoint.method, path: routePath(of: path).path).endpoint.map { definition.endpoints[$0] }
    }
}
