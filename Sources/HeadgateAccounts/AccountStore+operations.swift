public import Headgate
internal import HeadgatePolicy
internal import HeadgateRedis

extension AccountStore {
    /// Forgets an account's counts: of one limit, or of all that the policy gives it.
    ///
    /// - Returns: The ids of the limits.
    /// - Throws: ``AccountError``.
    public func resetCounts(
        of id: String,
        limit: String? = nil,
        in store: any LimitStore,
        by actor: Actor
    ) async throws(AccountError) -> [String] {
        guard let policy else { throw AccountError(.conflict, "no policy is known, so its limits are not") }
        let counts = try await counts(of: try await required(id), by: policy).filter { charge in
            let name = charge.limit.id
            return limit.map { name == $0 || name.hasPrefix("\($0)@") || name.hasPrefix("\($0)~") } ?? true
        }
        guard !counts.isEmpty else { throw AccountError(.notFound, "the account has no counted limit '\(limit ?? "")'", field: "limit") }
        do {
            for count in counts { try await store.reset(count.identity, [count.limit]) }
        } catch {
            throw AccountError(ofRedis: error)
        }
        _ = try await update(id, by: actor) { _, _ in Note(what: "counts reset", old: limit ?? "all") }
        return Set(counts.map(\.limit.id)).sorted()
    }

    /// All that an account's requests can be counted by: one charge of each count.
    ///
    /// What a permission changes may be counted apart, and so is what is counted by key.
    private func counts(of account: Account, by policy: Policy) async throws(AccountError) -> [Charge] {
        let now = try await time()
        let permitted = policy.knownPermissions.map { (permissions: Set([$0]), key: String?.none) }
        let keyed = try await keys(of: account.id).map { (permissions: $0.permissions, key: String?($0.id)) }
        var counts: [String: Charge] = [:]
        for caller in [(permissions: [], key: nil)] + permitted + keyed {
            let applied = try mapping { () throws(LimiterError) in
                try policy.limits(of: try account.subject(at: now, permissions: caller.permissions, key: caller.key))
            }
            for charge in applied.compactMap(\.charge) where charge.identity.kind == .account {
                counts["\(charge.limit.id):\(charge.limit.algorithm.name)"] = charge
            }
        }
        return Array(counts.values)
    }

    /// What was done to an account and to its keys, newest first, at most so many.
    ///
    /// - Throws: ``AccountError/Code/unavailable``.
    public func audit(of id: String, atMost most: Int = 100) async throws(AccountError) -> [AuditEntry] {
        var streams = [try mapping("account") { () throws(LimiterError) in try keys.audit(of: id) }]
        let list = try mapping("account") { () throws(LimiterError) in try keys.keys(of: id) }
        for key in (try await command(["SMEMBERS", list]).elements ?? []).compactMap(\.text) {
            streams.append(try mapping { () throws(LimiterError) in try keys.audit(ofKey: key) })
        }
        var entries: [AuditEntry] = []
        for stream in streams {
            let notes = try await command(["XREVRANGE", stream, "+", "-", "COUNT", String(most)]).elements ?? []
            entries += notes.compactMap(AuditEntry.init)
        }
        return Array(entries.sorted { $0.time > $1.time }.prefix(most))
    }
}
