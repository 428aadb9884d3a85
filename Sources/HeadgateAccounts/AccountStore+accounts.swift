internal import Headgate
internal import HeadgatePolicy
internal import HeadgateRedis

extension AccountStore {
    /// Creates an account.
    ///
    /// A tier that says `custom` needs the account's own limits with it.
    /// - Throws: ``AccountError/Code/exists``, ``AccountError/Code/invalid`` naming the field, or ``AccountError/Code/unavailable``.
    public func create(
        _ id: String,
        tier: String? = nil,
        overrides: [String: AccountOverride] = [:],
        by actor: Actor
    ) async throws(AccountError) -> Account {
        try check(id: id)
        var account = Account(id, tier: tier, created: try await time())
        try account.take(overrides, by: actor)
        try check(account, at: account.created, field: "overrides")
        let note = Note(what: "account created", new: account.summary)
        guard try await write(account, over: nil, note, by: actor) else {
            throw AccountError(.exists, "there is an account '\(id)' already", field: "account")
        }
        return try await required(id)
    }

    /// Puts an account into another tier: what was used is kept, and what is allowed changes.
    ///
    /// - Throws: ``AccountError``.
    public func setTier(of id: String, to tier: String, by actor: Actor) async throws(AccountError) -> Account {
        try await update(id, by: actor) { account, now throws(AccountError) in
            let note = Note(what: "tier", old: account.tier ?? "", new: tier)
            account.tier = tier
            try check(account, at: now, field: "tier")
            return note
        }
    }

    /// Gives an account its own limit in place of its tier's.
    ///
    /// - Throws: ``AccountError``.
    public func setOverride(
        of id: String,
        limit: String,
        to override: AccountOverride,
        by actor: Actor
    ) async throws(AccountError) -> Account {
        try await update(id, by: actor) { account, now throws(AccountError) in
            if let until = override.until, until <= now { throw AccountError(.invalid, "\(until.rfc3339) has passed", field: "until") }
            let note = Note(
                what: "override \(limit)",
                old: account.overrides[limit]?.limit.text ?? "",
                new: override.limit.text + (override.until.map { " until \($0.rfc3339)" } ?? ""),
                reason: override.reason
            )
            try account.take([limit: override], by: actor)
            try check(account, at: now, field: "limit")
            return note
        }
    }

    /// Takes an account's own limit away.
    ///
    /// - Throws: ``AccountError``; it is refused when the tier leaves the limit to the account.
    public func clearOverride(of id: String, limit: String, by actor: Actor) async throws(AccountError) -> Account {
        try await update(id, by: actor) { account, now throws(AccountError) in
            guard let old = account.overrides.removeValue(forKey: limit) else {
                throw AccountError(.notFound, "the account has no limit of its own for '\(limit)'")
            }
            try check(account, at: now, field: "limit")
            return Note(what: "override \(limit)", old: old.limit.text)
        }
    }

    /// Some accounts, and where to go on; `nil` when there are no more.
    ///
    /// It walks the whole key space a thousand keys at a time, so that other clients are served between.
    /// - Throws: ``AccountError/Code/unavailable``.
    public func accounts(
        from cursor: String = "0",
        atLeast wanted: Int = 100
    ) async throws(AccountError) -> (accounts: [Account], next: String?) {
        guard AccountStore.isCursor(cursor) else {
            throw AccountError(.invalid, "expected a cursor that an earlier page gave", field: "cursor")
        }
        var place: String? = cursor
        var found: [Account] = []
        var seen: Set<String> = []
        while let cursor = place, found.count < wanted {
            let page: (names: [String], next: String?)
            do { page = try await redis.scan(keys.everyAccount, from: cursor) } catch { throw AccountError(ofRedis: error) }
            for name in page.names where seen.insert(name).inserted {
                if let account = Account(fields: try await hash(name)) { found.append(account) }
            }
            place = page.next
        }
        return (found.sorted { $0.id < $1.id }, place)
    }
}

extension AccountStore {
    /// Whether a text may be a cursor: a number, in a cluster behind that of a server.
    private static func isCursor(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { UInt64($0) != nil && $0.allSatisfy(\.isNumber) }
    }
}

// MARK: Checks

extension AccountStore {
    /// Checks that the policy gives an account limits that can be counted; else this field of the request is at fault.
    func check(_ account: Account, at now: StoreTime, field: String) throws(AccountError) {
        guard account.overrides.count <= 100 else {
            throw AccountError(.invalid, "expected at most 100 limits of the account's own", field: field)
        }
        guard let policy else { return }
        for id in account.overrides.keys.sorted() where !policy.limitIDs.contains(id) {
            throw AccountError(
                .invalid,
                "unknown limit '\(id)'\(Suggestion.hint(for: id, among: policy.limitIDs)); expected one of \(Suggestion.list(policy.limitIDs))",
                field: field
            )
        }
        do {
            _ = try policy.limits(of: try account.subject(at: now))
        } catch {
            throw AccountError(error, field: error.code == .unknownTier ? "tier" : field)
        }
    }

    func check(id: String) throws(AccountError) {
        _ = try mapping("account") { () throws(LimiterError) in try Identity(.account, id) }
        guard id.utf8.count <= Identity.longestPlainName, !id.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw AccountError(.invalid, "an account's name is 1 to 256 bytes without control characters", field: "account")
        }
    }

    static func check(text: String, _ field: String) throws(AccountError) {
        guard text.utf8.count <= longestText, !text.unicodeScalars.contains("\0") else {
            throw AccountError(.invalid, "expected at most \(longestText) bytes without NUL", field: field)
        }
    }
}

extension Account {
    /// Takes limits of its own, and notes who gave them.
    mutating func take(_ overrides: [String: AccountOverride], by actor: Actor) throws(AccountError) {
        for (limit, override) in overrides {
            try AccountStore.check(text: override.reason, "reason")
            self.overrides[limit] = override
            self.overrides[limit]?.grantedBy = actor.name
        }
    }

    /// What is audited of a new account.
    fileprivate var summary: String {
        ([tier ?? "default tier"] + overrides.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.limit.text)" }).joined(separator: ", ")
    }
}
