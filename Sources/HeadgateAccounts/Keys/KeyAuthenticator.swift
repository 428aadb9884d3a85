public import Headgate

/// Finds whose key a request came with, and slows down whoever tries keys that are none.
///
/// Who has sent ten wrong keys from an address within a minute is locked out there: keys that this instance does not know already
/// are not looked at until the lock-out ends, right or wrong, so that an answer tells nothing.
public struct KeyAuthenticator: Sendable {
    /// What is known of keys and accounts.
    public let directory: AccountDirectory

    private let limiter: Limiter
    private let guesses: Limit

    /// What a key came to.
    public enum Outcome: Sendable {
        /// It opens.
        case key(APIKey, Account)
        /// It opens nothing.
        case unknown
        /// The address has tried too many keys; it may try again after this time.
        case lockedOut(Duration)
    }

    /// Creates an authenticator.
    ///
    /// - Parameters:
    ///   - directory: What is known of keys and accounts.
    ///   - store: Where wrong keys are counted, by address.
    ///   - wrongKeys: How many wrong keys an address may send in a minute.
    /// - Throws: ``LimiterError/Code/invalidLimit`` when the number cannot be counted.
    public init(_ directory: AccountDirectory, store: any LimitStore, wrongKeys: Int64 = 10) throws(LimiterError) {
        self.directory = directory
        limiter = Limiter(store: store)
        guesses = try Limit("wrong-keys", .slidingWindowLog(wrongKeys, per: .seconds(60)))
    }

    /// Finds whose key a text is.
    ///
    /// - Throws: ``AccountError/Code/unavailable`` when that cannot be told now.
    public func authenticate(_ text: String, from address: Identity) async throws(AccountError) -> Outcome {
        let key = KeyText(text)
        if let key, let known = directory.knownKey(key.id), known.revoked == nil, key.opens(known) { return try await opened(known) }
        // Both at once: a right key waits no longer for the lock-out being looked at.
        async let locked = lockOut(address)
        let record: APIKey?
        do throws(AccountError) {
            record = if let key { try await directory.key(key.id) } else { nil }
        } catch {
            _ = await locked
            throw error
        }
        if let wait = await locked { return .lockedOut(wait) }
        if let record, record.revoked == nil, key?.opens(record) == true { return try await opened(record) }
        if record == nil { _ = key?.opens(nil) }
        return try await wrong(from: address)
    }

    private func opened(_ key: APIKey) async throws(AccountError) -> Outcome {
        guard let account = try await directory.account(key.account) else { return .unknown }
        directory.noteUse(of: key.id)
        return .key(key, account)
    }

    private func lockOut(_ address: Identity) async -> Duration? {
        // When it cannot be told, looking the key up fails for the same reason.
        guard let decision = try? await limiter.peek(for: address, limits: [guesses]), !decision.isDegraded else { return nil }
        return decision.retryAfter
    }

    private func wrong(from address: Identity) async throws(AccountError) -> Outcome {
        do {
            let decision = try await limiter.acquire(for: address, limits: [guesses])
            return decision.retryAfter.map { .lockedOut($0) } ?? .unknown
        } catch {
            throw AccountError(error)
        }
    }
}
