public import Headgate
public import HeadgatePolicy
public import HeadgateRedis
internal import LuaScripts

/// Accounts, API keys and requests for more, kept in Redis as readable hashes.
///
/// All instances see a change within a second: each change is noted in a stream that every ``AccountDirectory`` reads.
/// Changes are compare-and-set: of two at the same time, one is made on top of the other.
public struct AccountStore: Sendable {
    /// Where the records live; it has to run.
    public let redis: RedisStore

    /// What tiers, limits and permissions are checked against; unchecked when `nil`.
    public let policy: Policy?

    let keys: RecordKeys

    /// Creates a store.
    public init(_ redis: RedisStore, policy: Policy? = nil) {
        self.redis = redis
        self.policy = policy
        keys = RecordKeys(prefix: redis.configuration.keyPrefix)
    }

    /// How often a change is tried on top of others'.
    private static let mostAttempts = 16

    /// The longest text of people: a reason, a name, a use case.
    package static let longestText = 1_000

    // MARK: Reading and writing

    /// The account of this id.
    ///
    /// - Throws: ``AccountError/Code/unavailable``, or ``AccountError/Code/invalid`` when the id is none.
    public func account(_ id: String) async throws(AccountError) -> Account? {
        try await account(of: try mapping("account") { () throws(LimiterError) in try Identity(.account, id) })
    }

    func account(of identity: Identity) async throws(AccountError) -> Account? {
        Account(fields: try await hash(keys.account(of: identity)))
    }

    /// The account of this id, which there has to be.
    func required(_ id: String) async throws(AccountError) -> Account {
        guard let account = try await account(id) else { throw AccountError(.notFound, "there is no account '\(id)'") }
        return account
    }

    /// Changes an account, and says so to all instances.
    ///
    /// The body may run more than once: each time on what others have made of the account meanwhile.
    func update(
        _ id: String,
        by actor: Actor,
        _ change: (inout Account, _ now: StoreTime) throws(AccountError) -> Note
    ) async throws(AccountError) -> Account {
        for _ in 0..<AccountStore.mostAttempts {
            let old = try await required(id)
            let now = try await time()
            var new = old
            let note = try change(&new, now)
            new.forgetEnded(before: now)
            if try await write(new, over: old, note, by: actor) { return new }
        }
        throw AccountError(.conflict, "the account is being changed by others; try again")
    }

    /// Writes what differs; false when the record is not at the old revision any more.
    func write(_ new: Account, over old: Account?, _ note: Note, by actor: Actor) async throws(AccountError) -> Bool {
        try await write(
            try mapping("account") { () throws(LimiterError) in try keys.account(new.id) },
            audit: try mapping("account") { () throws(LimiterError) in try keys.audit(of: new.id) },
            new.fields,
            over: old?.fields,
            revision: old?.revision,
            note,
            by: actor,
            change: try mapping("account") { () throws(LimiterError) in try Identity(.account, new.id).tag }
        )
    }

    func write(
        _ key: String,
        audit: String,
        _ new: [String: String],
        over old: [String: String]?,
        revision: Int64?,
        _ note: Note,
        by actor: Actor,
        change: String
    ) async throws(AccountError) -> Bool {
        let set = new.filter { old?[$0.key] != $0.value }.sorted { $0.key < $1.key }
        let removed = (old ?? [:]).keys.filter { new[$0] == nil }.sorted()
        // The change and the word of it in one script: nobody who changes a record and ends, or hears no answer, leaves the
        // instances with the old one.
        let names = redis.isCluster ? [key, audit] : [key, audit, keys.changes]
        var arguments = ["EVAL", Scripts.record, String(names.count)] + names + [revision.map { String($0) } ?? "", change]
        arguments += [String(set.count)] + set.flatMap { [$0.key, $0.value] }
        arguments += [String(removed.count)] + removed + note.fields(by: actor)
        guard try await command(arguments).integer ?? -1 > 0 else { return false }
        // In a cluster the word of it lies in another slot. Who misses it reads the record anew a little later.
        if redis.isCluster { _ = try? await command(["XADD", keys.changes, "MAXLEN", "~", "10000", "*", "record", change]) }
        return true
    }

    // MARK: Redis

    /// Redis' clock.
    public func time() async throws(AccountError) -> StoreTime {
        do { return try await redis.time() } catch { throw AccountError(ofRedis: error) }
    }

    func hash(_ key: String) async throws(AccountError) -> [String: String] {
        do { return try await redis.hash(key) } catch { throw AccountError(ofRedis: error) }
    }

    func command(_ arguments: [String]) async throws(AccountError) -> RedisValue {
        do { return try await redis.command(arguments) } catch { throw AccountError(ofRedis: error) }
    }
}

extension Account {
    /// Forgets what ended long ago, so that the record stays small.
    fileprivate mutating func forgetEnded(before now: StoreTime) {
        let month = now.calendarMonth
        boosts.removeAll { $0.until < now }
        boostsTaken = boostsTaken.filter { $0.key >= month }
        overrides = overrides.filter { $0.value.holds(at: now) }
    }
}

extension StoreTime {
    /// The calendar month of UTC: `2026-11`.
    var calendarMonth: String { String(RFC3339.string(epochSecond: microseconds / 1_000_000).prefix(7)) }
}
