package import Headgate
internal import HeadgateRedis
internal import Synchronization

/// Accounts and keys as this instance knows them: read once, kept, and read anew within a second of a change.
///
/// Changes are noted in a stream, which ``run()`` looks at five times a second; unlike a published message, a note cannot be
/// missed by an instance that was away. While the stream cannot be read, nothing older than 400 ms is used without another look,
/// and while Redis gives no answer at all, what was read within five minutes still serves.
///
/// In a cluster a record and the note of its change lie in different slots, and a note can be missing when who made the change
/// ends between the two: there nothing older than 400 ms is used, notes or not.
public final class AccountDirectory: Sendable {
    /// Where the records live.
    public let store: AccountStore

    let accounts = Mutex(RecordCache<Account>(most: 100_000, mostAbsent: 20_000))
    let keys = Mutex(RecordCache<APIKey>(most: 100_000, mostAbsent: 0))
    let state: Mutex<State>

    struct State {
        var freshness = Freshness()
        /// Redis' time at an instant of ours.
        var clock: (time: StoreTime, at: ContinuousClock.Instant)?
        /// The newest note of a change that was looked at.
        var lastChange: String?
        /// Keys that were used since that was last written.
        var used: Set<String> = []
        /// Keys that have opened here, each with the address that it came from.
        var opened = HalvingTable<Bool>(most: 100_000)
    }

    /// The most keys whose use is remembered between two writes.
    static let mostUsed = 100_000

    /// Creates a directory.
    ///
    /// It answers without ``run()``, too, and asks Redis more often then.
    public init(_ store: AccountStore) {
        self.store = store
        var first = State()
        if store.redis.isCluster { first.freshness.most = Freshness.mostBlind }
        state = Mutex(first)
    }

    /// The account of this id, as it was at most a second ago.
    ///
    /// - Throws: ``AccountError/Code/unavailable`` when Redis gives no answer and nothing recent is known.
    public func account(_ id: String) async throws(AccountError) -> Account? {
        try await account(of: try mapping("account") { () throws(LimiterError) in try Identity(.account, id) })
    }

    /// The account of this identity, as it was at most a second ago.
    ///
    /// - Throws: ``AccountError/Code/unavailable`` when Redis gives no answer and nothing recent is known.
    package func account(of identity: Identity) async throws(AccountError) -> Account? {
        try await record(identity.tag, in: accounts) { _ throws(AccountError) in try await self.store.account(of: identity) }
    }

    /// The key of this id, as it was at most a second ago; unknown ones are not remembered.
    ///
    /// - Throws: ``AccountError/Code/unavailable`` when Redis gives no answer and nothing recent is known.
    package func key(_ id: String) async throws(AccountError) -> APIKey? {
        try await record("k:\(id)", in: keys) { _ throws(AccountError) in try await self.store.key(id) }
    }

    /// Redis' time: it decides when boosts and overrides end.
    ///
    /// - Throws: ``AccountError/Code/unavailable`` when it was never known.
    package func time() async throws(AccountError) -> StoreTime {
        if let now = estimatedTime { return now }
        let at = ContinuousClock.now
        let time = try await store.time()
        state.withLock { $0.clock = (time, at) }
        return time
    }

    /// Redis' time by the last look and our own clock since; never early, since it was told after it was asked for.
    var estimatedTime: StoreTime? {
        state.withLock { state in state.clock.map { $0.time + $0.at.duration(to: .now) } }
    }

    /// Notes that a key has opened for an address; that it was used is written about every ten seconds.
    func noteOpening(of key: String, from address: Identity) {
        state.withLock { state in
            if state.used.count < AccountDirectory.mostUsed { state.used.insert(key) }
            state.opened["\(key) \(address.tag)"] = true
        }
    }

    /// Whether a key has opened here for an address.
    func hasOpened(_ key: String, from address: Identity) -> Bool {
        state.withLock { $0.opened["\(key) \(address.tag)"] ?? false }
    }

    private func record<Record: Sendable>(
        _ id: String,
        in cache: borrowing Mutex<RecordCache<Record>>,
        _ read: (String) async throws(AccountError) -> Record?
    ) async throws(AccountError) -> Record? {
        let freshness = state.withLock { $0.freshness }
        let (entry, use, generation): (RecordCache<Record>.Entry?, Freshness.Use, Int) = cache.withLock { cache in
            guard let entry = cache.entry(id) else { return (nil, .readAnew, cache.generation) }
            var use = freshness.use(of: entry.readAt, at: .now)
            if use == .useAndRefresh { use = cache.claim(id) ? .reload : .use }
            return (entry, use, cache.generation)
        }
        if use == .use { return entry?.record }
        let at = ContinuousClock.now
        do {
            let record = try await read(id)
            cache.withLock { $0.store(record, id, readAt: at, generation: generation) }
            return record
        } catch {
            cache.withLock { $0.unclaim(id) }
            guard error.code == .unavailable else { throw error }
            // That a caller went away says nothing of Redis.
            if error.cause?.code != .cancelled { state.withLock { $0.freshness.failedAt = .now } }
            guard use == .reload, let entry else { throw error }
            return entry.record
        }
    }
}
