/// A limit on top of a request's class and endpoint limits; every one that matches counts.
///
/// It stands as written: tiers, boosts and permissions' multipliers leave it alone, and an account's override replaces it.
public struct LimitRule: Sendable, Hashable {
    /// The limit's id.
    public var id: String

    /// The name that customers know it by.
    public var name: String

    /// The requests that it applies to.
    public var match: [RoutePattern]

    /// How much it allows.
    public var limit: Rate

    /// Whose requests are counted together.
    public var scope: Scope

    /// Whose requests are counted together.
    public enum Scope: String, Sendable, Hashable, CaseIterable, Codable {
        /// Those of one account, with all of its keys.
        case account
        /// Those of one API key; those that come without a key, of their account.
        case key
        /// Those of one network address, whoever makes them; those whose address is not known, of their account.
        case address
        /// All requests of everybody.
        case global
    }

    /// Creates a rule; without a name it is known by its id, and without patterns it is for every request.
    public init(_ id: String, name: String? = nil, match: [RoutePattern] = [.everything], limit: Rate, scope: Scope = .account) {
        self.id = id
        self.name = name ?? id
        self.match = match
        self.limit = limit
        self.scope = scope
    }
}
