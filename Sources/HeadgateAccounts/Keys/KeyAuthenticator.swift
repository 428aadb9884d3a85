public import Headgate

/// Finds whose key a request came with, and slows down whoever tries keys that are none.
///
/// Who has sent ten wrong keys from an address within a minute is locked out there: no key is looked at until the lock-out ends,
/// right or wrong, so that an answer tells nothing. Only keys that have opened from this address before, at this instance, are:
/// their holders do not suffer from a guesser beside them.
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
        let hasOpened = key.map { directory.hasOpened($0.id, from: address) } ?? false
        if !hasOpened, let wait = await lockOut(address) { return .lockedOut(wait) }
        guard let key else { return try await wrong(from: address) }
        let record = try await directory.key(key.id)
        guard key.opens(record), let record, record.revoked == nil else { return try await wrong(from: address) }
        guard let account = try await directory.account(record.account) else { return .unknown }
        directory.noteOpening(of: record.id, from: address)
        return .key(record, account)
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
