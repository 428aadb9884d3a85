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
        let tier = try position(ofTier: request.subject.tier)
        let cost = request.cost.units(ofEndpoint: match.endpoint.map { costs[$0] } ?? 1)
        let terms = Terms(tier: tier, cost: cost, reserve: reserve(of: request), isPlain: isPlain(request.subject))
        var limits: [AppliedLimit] = []
        limits.reserveCapacity(3 + match.additional.count)
        try append(.operationClass(match.operationClass), of: request.subject, terms, to: &limits)
        if let endpoint = match.endpoint { try append(.endpoint(endpoint), of: request.subject, terms, to: &limits) }
        for additional in match.additional { try append(.additional(additional), of: request.subject, terms, to: &limits) }
        try append(.concurrency, of: request.subject, terms, to: &limits)
        return limits
    }

    /// Every limit that requests of a subject can meet: of all classes, of all endpoint and additional rules, and concurrency.
    ///
    /// The cost is 1 and the priority `normal`. What a caller's overview shows are those with the role
    /// ``AppliedLimit/Role/operationClass``.
    /// - Throws: What ``limits(for:)`` throws, so it also tells whether the subject has all the limits of its own that it needs.
    public func limits(of subject: Subject) throws(LimiterError) -> [AppliedLimit] {
        let position = try position(ofTier: subject.tier)
        let terms = Terms(tier: position, cost: 1, reserve: normalPriority.reserve, isPlain: isPlain(subject))
        let tier = tiers[position]
        var limits: [AppliedLimit] = []
        for index in tier.classes.indices { try append(.operationClass(index), of: subject, terms, to: &limits) }
        for index in tier.endpoints.indices { try append(.endpoint(index), of: subject, terms, to: &limits) }
        for index in tier.additional.indices { try append(.additional(index), of: subject, terms, to: &limits) }
        try append(.concurrency, of: subject, terms, to: &limits)
        return limits
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

// MARK: One by one

extension Policy {
    /// How the limits of one request are taken.
    private struct Terms {
        /// The tier's position.
        let tier: Int
        let cost: Int64
        let reserve: Percentage
        /// Whether everything is prepared.
        let isPlain: Bool
    }

    /// Whether a subject has neither boost, overrides nor permissions that the policy knows.
    private func isPlain(_ subject: Subject) -> Bool {
        guard subject.overrides.isEmpty, subject.boost == 1 else { return false }
        return subject.permissions.isEmpty || !subject.permissions.contains { maker.permissions[$0] != nil }
    }

    private func reserve(of request: LimitRequest) -> Percentage {
        request.priority == .normal ? normalPriority.reserve : priority(request.priority, of: request.subject).rule.reserve
    }

    private func append(_ rule: Rule, of subject: Subject, _ terms: Terms, to limits: inout [AppliedLimit]) throws(LimiterError) {
        guard terms.isPlain else {
            let tier = tiers[terms.tier].rule
            let made = try maker.made(rule, tier: tier, subject: subject).limit
            if let made { limits.append(try made.applied(to: subject, cost: terms.cost, reserve: terms.reserve, tier: tier.name)) }
            return
        }
        guard let prepared = tiers[terms.tier][rule] else { return }
        limits.append(try prepared.applied(to: subject, cost: terms.cost, reserve: terms.reserve, tier: tiers[terms.tier].rule.name))
    }
}
