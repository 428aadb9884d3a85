internal import Headgate
internal import HeadgateJSON
internal import HeadgatePolicy
internal import HeadgateRedis

extension AccountStore {
    /// The most requests that are kept; above, the oldest that were answered are forgotten.
    public static let mostIncreases = 5_000

    /// Notes a customer's request for more; an account has one at a time.
    ///
    /// - Throws: ``AccountError/Code/invalid`` naming the field, ``AccountError/Code/conflict`` while one is open, or another
    ///   ``AccountError``.
    public func askForIncrease(
        _ id: String,
        expectedVolume: String,
        useCase: String,
        timeline: String,
        by actor: Actor
    ) async throws(AccountError) -> LimitIncrease {
        for (field, text) in [("expected_volume", expectedVolume), ("use_case", useCase), ("timeline", timeline)] {
            guard !text.isEmpty else { throw AccountError(.invalid, "expected a text, found nothing", field: field) }
            try AccountStore.check(text: text, field)
        }
        let account = try await required(id)
        let open = account.openIncrease
        if let open, try await increase(open)?.status == .open { throw AccountError(.conflict, "the request '\(open)' is open still") }
        let increase = LimitIncrease(
            id: RandomText.id("i"),
            account: id,
            tier: account.tier ?? policy?.definition.defaultTier ?? "",
            expectedVolume: expectedVolume,
            useCase: useCase,
            timeline: timeline,
            created: try await time(),
            status: .open,
            answer: "",
            answeredBy: ""
        )
        // On the list first: what the account says is open is never missing there, or a second request would pass beside it.
        try await write(increase)
        do {
            _ = try await update(id, by: actor) { account, _ throws(AccountError) in
                guard account.openIncrease == open else { throw AccountError(.conflict, "another request was just made") }
                account.openIncrease = increase.id
                return Note(what: "limit increase asked", new: increase.id)
            }
        } catch {
            _ = try? await command(["HDEL", keys.increases, increase.id])
            throw error
        }
        return increase
    }

    /// The request of this id.
    ///
    /// - Throws: ``AccountError/Code/unavailable``.
    public func increase(_ id: String) async throws(AccountError) -> LimitIncrease? {
        try await command(["HGET", keys.increases, id]).text.flatMap { LimitIncrease(id, line: $0) }
    }

    /// All requests of a status, or all, oldest first.
    ///
    /// - Throws: ``AccountError/Code/unavailable``.
    public func increases(_ status: LimitIncrease.Status? = nil) async throws(AccountError) -> [LimitIncrease] {
        try await hash(keys.increases).compactMap { LimitIncrease($0.key, line: $0.value) }
            .filter { status == nil || $0.status == status }
            .sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    /// Gives an account what it asked for, as limits of its own.
    ///
    /// - Throws: ``AccountError/Code/conflict`` when it was answered before, or another ``AccountError``; nothing is granted then.
    public func grantIncrease(
        _ id: String,
        overrides: [String: AccountOverride],
        answer: String = "",
        by actor: Actor
    ) async throws(AccountError) -> LimitIncrease {
        guard !overrides.isEmpty else { throw AccountError(.invalid, "expected at least one limit to grant", field: "overrides") }
        return try await answerIncrease(id, .granted, answer, by: actor) { account, now throws(AccountError) in
            try account.take(overrides, by: actor)
            try check(account, at: now, field: "overrides")
            return overrides.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.limit.text)" }.joined(separator: ", ")
        }
    }

    /// Refuses a request.
    ///
    /// - Throws: ``AccountError/Code/conflict`` when it was answered before, or another ``AccountError``.
    public func refuseIncrease(_ id: String, answer: String = "", by actor: Actor) async throws(AccountError) -> LimitIncrease {
        try await answerIncrease(id, .refused, answer, by: actor) { _, _ in "" }
    }

    private func answerIncrease(
        _ id: String,
        _ status: LimitIncrease.Status,
        _ answer: String,
        by actor: Actor,
        _ change: (inout Account, StoreTime) throws(AccountError) -> String
    ) async throws(AccountError) -> LimitIncrease {
        try AccountStore.check(text: answer, "answer")
        guard var increase = try await increase(id) else { throw AccountError(.notFound, "there is no request '\(id)'") }
        guard increase.status == .open else { throw AccountError(.conflict, "the request was \(increase.status.rawValue) before") }
        do {
            _ = try await update(increase.account, by: actor) { account, now throws(AccountError) in
                guard account.openIncrease == id else { throw AccountError(.conflict, "the request was answered before") }
                account.openIncrease = nil
                return Note(what: status.audited, old: id, new: try change(&account, now), reason: answer)
            }
        } catch {
            if error.code == .conflict { try await complete(increase) }
            throw error
        }
        increase.status = status
        increase.answer = answer
        increase.answeredBy = actor.name
        try await write(increase)
        return increase
    }

    /// Notes what became of a request, where whoever answered it was cut off before that.
    private func complete(_ increase: LimitIncrease) async throws(AccountError) {
        var increase = increase
        for entry in try await audit(of: increase.account, atMost: 1_000) where entry.old == increase.id {
            guard let status = LimitIncrease.Status.allCases.first(where: { $0.audited == entry.what }) else { continue }
            increase.status = status
            increase.answer = entry.reason
            increase.answeredBy = entry.who
            try await write(increase)
        }
    }

    private func write(_ increase: LimitIncrease) async throws(AccountError) {
        _ = try await command(["HSET", keys.increases, increase.id, increase.json.text])
        guard try await command(["HLEN", keys.increases]).integer ?? 0 > Int64(AccountStore.mostIncreases) else { return }
        let answered = try await increases().filter { $0.status != .open }.prefix(AccountStore.mostIncreases / 10).map(\.id)
        if !answered.isEmpty { _ = try await command(["HDEL", keys.increases] + answered) }
    }

    /// Notes the text of the policy that is served, so that commands without one can check by it.
    ///
    /// - Throws: ``AccountError/Code/unavailable``.
    public func publish(policy text: String) async throws(AccountError) { _ = try await command(["SET", keys.policy, text]) }

    /// The text of the policy that was served last; `nil` when none was.
    ///
    /// - Throws: ``AccountError/Code/unavailable``.
    public func publishedPolicy() async throws(AccountError) -> String? { try await command(["GET", keys.policy]).text }
}

extension LimitIncrease.Status {
    /// What the audit of an account says when a request came to this.
    fileprivate var audited: String { "limit increase \(rawValue)" }
}
