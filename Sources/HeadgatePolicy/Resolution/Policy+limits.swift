public import Headgate

extension Policy {
    /// The limits that apply to a request: its class's, its endpoint's when a rule matches, the additional ones that match, and
    /// the tier's concurrency.
    ///
    /// - Throws: ``LimiterError/Code/invalidPath``, ``LimiterError/Code/unknownTier``,
    ///   ``LimiterError/Code/customLimitMissing`` when the account's own limit is missing, and
    ///   ``LimiterError/Code/invalidLimit`` when overrides and multipliers together make a limit that cannot be counted exactly.
    public func limits(for request: LimitRequest) throws(LimiterError) -> [AppliedLimit] {
        let path = try CanonicalPath(request.endpoint.path)
        let match = matcher.match(method: request.endpoint.method, path: routePath(of: path).path)
        let tier = try tier(named: request.subject.tier)
        let cost = match.endpoint.flatMap { definition.endpoints[$0].cost?.fallback } ?? 1
        var list = AppliedList(policy: self, tier: tier, request: request, cost: request.cost.units(ofEndpoint: cost))
        try list.append(.operationClass(match.operationClass))
        if let endpoint = match.endpoint { try list.append(.endpoint(endpoint)) }
        for additional in match.additional { try list.append(.additional(additional)) }
        try list.append(.concurrency)
        return list.limits
    }

    /// Every limit that requests of a subject can meet: of all classes, of all endpoint and additional rules, and concurrency.
    ///
    /// The cost is 1 and the priority `normal`. What a caller's overview shows are those with the role
    /// ``AppliedLimit/Role/operationClass``.
    /// - Throws: What ``limits(for:)`` throws, so it also tells whether the subject has all the limits of its own that it needs.
    public func limits(of subject: Subject) throws(LimiterError) -> [AppliedLimit] {
        let tier = try tier(named: subject.tier)
        let request = LimitRequest(subject: subject, endpoint: Endpoint(method: "GET", path: "/"))
        var list = AppliedList(policy: self, tier: tier, request: request, cost: 1)
        for index in tier.classes.indices { try list.append(.operationClass(index)) }
        for index in tier.endpoints.indices { try list.append(.endpoint(index)) }
        for index in tier.additional.indices { try list.append(.additional(index)) }
        try list.append(.concurrency)
        return list.limits
    }

    /// A canonical path as the patterns see it, and what became of the base path.
    func routePath(of path: CanonicalPath) -> (path: Substring, basePath: Explanation.BasePathOutcome) {
        guard !basePath.isEmpty else { return (path.text[...], .none) }
        let bytes = path.text.utf8
        guard bytes.count >= basePath.utf8.count, zip(bytes, basePath.utf8).allSatisfy(isSame) else { return (path.text[...], .outside) }
        let rest = path.text[bytes.index(bytes.startIndex, offsetBy: basePath.utf8.count)...]
        guard let border = rest.utf8.first else { return ("/", .stripped) }
        return border == UInt8(ascii: "/") ? (rest, .stripped) : (path.text[...], .outside)
    }

    private func isSame(_ left: UInt8, _ right: UInt8) -> Bool {
        left == right || (!matcher.caseSensitive && Self.lowercase(left) == Self.lowercase(right))
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

/// The limits of one request while they are collected.
private struct AppliedList {
    let policy: Policy
    let tier: Policy.CompiledTier
    let request: LimitRequest
    let cost: Int64
    let reserve: Percentage
    /// Whether the subject has neither boost, overrides nor permissions that the policy knows: then everything is prepared.
    let isPlain: Bool
    var limits: [AppliedLimit] = []

    init(policy: Policy, tier: Policy.CompiledTier, request: LimitRequest, cost: Int64) {
        self.cost = cost
        self.policy = policy
        self.tier = tier
        self.request = request
        reserve = policy.priority(request.priority, of: request.subject).rule.reserve
        isPlain =
            request.subject.overrides.isEmpty && request.subject.boost == 1
            && !request.subject.permissions.contains { policy.maker.permissions[$0] != nil }
        limits.reserveCapacity(3)
    }

    mutating func append(_ rule: Rule) throws(LimiterError) {
        let prepared = isPlain ? tier[rule] : try policy.maker.made(rule, tier: tier.rule, subject: request.subject).limit
        guard let prepared else { return }
        limits.append(try prepared.applied(to: request.subject, cost: cost, reserve: reserve, tier: tier.rule.name))
    }
}
