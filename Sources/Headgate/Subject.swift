/// Who asks: an identity with a plan and permissions.
public struct Subject: Sendable, Hashable {
    /// Who is counted.
    public var identity: Identity

    /// The plan; `nil` takes the policy's default tier.
    public var tier: String?

    /// What the caller's API key may do and what it changes.
    public var permissions: Set<String>

    /// The account's own limits in place of its tier's, by limit id.
    public var overrides: [String: LimitOverride]

    /// What a boost multiplies the account's class and endpoint limits with; 1 without one.
    public var boost: Multiplier

    /// The API key that the request came with; limits `per: key` count by it.
    public var key: String?

    /// Where the request came from; limits `per: address` count by it.
    public var address: Identity?

    /// Creates a subject.
    public init(
        _ identity: Identity,
        tier: String? = nil,
        permissions: Set<String> = [],
        overrides: [String: LimitOverride] = [:],
        boost: Multiplier = 1,
        key: String? = nil,
        address: Identity? = nil
    ) {
        self.identity = identity
        self.tier = tier
        self.permissions = permissions
        self.overrides = overrides
        self.boost = boost
        self.key = key
        self.address = address
    }

    /// The subject of an account.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when the name is empty or holds a NUL.
    public static func account(_ name: String, tier: String? = nil, permissions: Set<String> = []) throws(LimiterError) -> Subject {
        Subject(try Identity(.account, name), tier: tier, permissions: permissions)
    }
}

/// An account's own limit in place of its tier's.
public enum LimitOverride: Sendable, Hashable {
    /// This many units per window, counted as the policy says.
    case units(Int64, per: Duration)
    /// This many slots at once; for concurrency limits.
    case slots(Int64)
    /// No limit.
    case unlimited
    /// The tier's limit, multiplied and rounded down.
    case multiplied(Multiplier)
}

/// What is asked for: a method and a path.
public struct Endpoint: Sendable, Hashable {
    /// The HTTP method.
    public var method: String

    /// The path as the client sent it, with or without a query.
    public var path: String

    /// Creates an endpoint.
    public init(method: String, path: String) {
        self.method = method
        self.path = path
    }
}

/// How urgent a request is: the name of one of the policy's priorities.
public struct Priority: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The name, as in `X-Priority`.
    public let name: String

    /// Creates a priority.
    public init(_ name: String) { self.name = name }

    /// Creates a priority from a literal.
    public init(stringLiteral name: String) { self.name = name }

    /// The priority of requests that name none.
    public static let normal: Priority = "normal"
}
