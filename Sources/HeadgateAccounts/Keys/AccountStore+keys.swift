internal import Headgate
internal import HeadgatePolicy
internal import HeadgateRedis

/// A key that was just made: the only time that its whole text is known.
public struct NewKey: Sendable {
    /// The record.
    public let key: APIKey
    /// What the holder sends; it cannot be had again.
    public let text: String
}

extension AccountStore {
    /// The most keys of an account, revoked ones included.
    public static let mostKeys = 1_000

    /// Makes a key for an account.
    ///
    /// - Throws: ``AccountError/Code/notFound`` without the account, ``AccountError/Code/invalid`` when the account lacks a limit
    ///   that its tier leaves to it, or another ``AccountError``.
    public func createKey(
        for account: String,
        permissions: Set<String> = [],
        name: String = "",
        by actor: Actor
    ) async throws(AccountError) -> NewKey {
        let owner = try await required(account)
        let now = try await time()
        try check(owner, at: now, field: "account")
        try AccountStore.check(text: name, "name")
        for permission in permissions.sorted() { try AccountStore.check(permission: permission) }
        let list = try mapping { () throws(LimiterError) in try keys.keys(of: account) }
        guard try await command(["SCARD", list]).integer ?? 0 < Int64(AccountStore.mostKeys) else {
            throw AccountError(.conflict, "the account has \(AccountStore.mostKeys) keys already")
        }
        let text = KeyText()
        let key = APIKey(id: text.id, digest: text.digest, account: account, permissions: permissions, name: name, created: now)
        // On the list first: a key that opens is never missing there.
        _ = try await command(["SADD", list, key.id])
        guard try await write(key, over: nil, Note(what: "key created", new: key.fields["permissions"] ?? ""), by: actor) else {
            throw AccountError(.conflict, "the key's id is taken; try again")
        }
        return NewKey(key: key, text: text.text)
    }

    /// The key of this id.
    ///
    /// - Throws: ``AccountError/Code/unavailable``.
    public func key(_ id: String) async throws(AccountError) -> APIKey? {
        APIKey(fields: try await hash(try mapping("key") { () throws(LimiterError) in try keys.key(id) }))
    }

    /// An account's keys, revoked ones included, oldest first.
    ///
    /// - Throws: ``AccountError``.
    public func keys(of account: String) async throws(AccountError) -> [APIKey] {
        _ = try await required(account)
        let list = try mapping { () throws(LimiterError) in try keys.keys(of: account) }
        var found: [APIKey] = []
        for id in (try await command(["SMEMBERS", list]).elements ?? []).compactMap(\.text) {
            if let key = try await key(id) { found.append(key) }
        }
        return found.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    /// Revokes a key: within a second it opens nothing on any instance.
    ///
    /// Revoking it twice changes nothing.
    /// - Throws: ``AccountError``.
    public func revokeKey(_ id: String, by actor: Actor) async throws(AccountError) -> APIKey {
        for _ in 0..<8 {
            guard let old = try await key(id) else { throw AccountError(.notFound, "there is no key '\(id)'") }
            guard old.revoked == nil else { return old }
            var new = old
            new.revoked = try await time()
            if try await write(new, over: old, Note(what: "key revoked"), by: actor) { return new }
        }
        throw AccountError(.conflict, "the key is being changed by others; try again")
    }

    /// Notes that a key was used, if there is one.
    func noteUse(of id: String, at now: StoreTime) async throws(AccountError) {
        let key = try mapping { () throws(LimiterError) in try keys.key(id) }
        let script = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'last_used', ARGV[1]) end"
        _ = try await command(["EVAL", script, "1", key, now.rfc3339])
    }

    private func write(_ new: APIKey, over old: APIKey?, _ note: Note, by actor: Actor) async throws(AccountError) -> Bool {
        var note = note
        note.what = "\(note.what) \(new.id)"
        return try await write(
            try mapping { () throws(LimiterError) in try keys.key(new.id) },
            audit: try mapping { () throws(LimiterError) in try keys.audit(ofKey: new.id) },
            new.fields,
            over: old?.fields,
            revision: old?.revision,
            note,
            by: actor,
            change: try mapping { () throws(LimiterError) in try Identity(.key, new.id).tag }
        )
    }

    /// A permission is a word, since a key's permissions are kept and sent with commas between.
    static func check(permission: String) throws(AccountError) {
        guard (1...64).contains(permission.utf8.count),
            permission.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") })
        else {
            throw AccountError(.invalid, "a permission is 1 to 64 printable ASCII characters without blank and comma", field: "permissions")
        }
    }
}
