public import Headgate
internal import HeadgatePolicy

/// What a boost is asked for.
public struct BoostRequest: Sendable, Hashable {
    /// What limits are multiplied with.
    public var multiplier: Multiplier
    /// For how long.
    public var duration: Duration
    /// Why.
    public var reason: String

    /// Creates a request.
    public init(multiplier: Multiplier, duration: Duration, reason: String) {
        self.multiplier = multiplier
        self.duration = duration
        self.reason = reason
    }
}

extension AccountStore {
    /// The longest time that an administrator's boost may last.
    public static let longestBoost: Duration = .seconds(366 * 86_400)

    /// Lets a customer boost its own account, within the policy's caps.
    ///
    /// - Throws: ``AccountError/Code/invalid`` naming the field, ``AccountError/Code/notAllowed`` when the policy has no boosts or
    ///   this month's are taken, or another ``AccountError``.
    public func takeBoost(_ request: BoostRequest, for id: String, by actor: Actor) async throws(AccountError) -> Boost {
        guard let rules = policy?.definition.boosts else { throw AccountError(.notAllowed, "this API has no temporary boosts") }
        if request.multiplier > rules.maxMultiplier {
            throw AccountError(.invalid, "expected at most \(rules.maxMultiplier), found \(request.multiplier)", field: "multiplier")
        }
        if request.duration > rules.maxDuration {
            throw AccountError(
                .invalid,
                "expected at most \(rules.maxDuration.readable), found \(request.duration.readable)",
                field: "duration"
            )
        }
        return try await boost(request, for: id, by: actor) { account, now throws(AccountError) in
            let taken = account.boostsTaken[now.calendarMonth] ?? 0
            guard taken < rules.perMonth else {
                throw AccountError(.notAllowed, "the account has taken its \(rules.perMonth) boosts of this month")
            }
            account.boostsTaken[now.calendarMonth] = taken + 1
        }
    }

    /// Boosts an account as an administrator, without the policy's caps.
    ///
    /// - Throws: ``AccountError``.
    public func grantBoost(_ request: BoostRequest, for id: String, by actor: Actor) async throws(AccountError) -> Boost {
        guard request.duration <= AccountStore.longestBoost else {
            throw AccountError(.invalid, "expected at most \(AccountStore.longestBoost.readable)", field: "duration")
        }
        return try await boost(request, for: id, by: actor) { _, _ in }
    }

    /// Ends a boost now.
    ///
    /// - Throws: ``AccountError/Code/notFound`` when it has ended, or another ``AccountError``.
    public func endBoost(_ boost: String, of id: String, by actor: Actor) async throws(AccountError) -> Account {
        try await update(id, by: actor) { account, now throws(AccountError) in
            guard let ended = account.boosts.first(where: { $0.id == boost && $0.until > now }) else {
                throw AccountError(.notFound, "the account has no running boost '\(boost)'")
            }
            account.boosts.removeAll { $0.id == boost }
            return Note(what: "boost ended", old: "\(boost) x\(ended.multiplier) until \(ended.until.rfc3339)")
        }
    }

    private func boost(
        _ request: BoostRequest,
        for id: String,
        by actor: Actor,
        _ checkCaps: (inout Account, StoreTime) throws(AccountError) -> Void
    ) async throws(AccountError) -> Boost {
        guard request.multiplier > 1 else {
            throw AccountError(.invalid, "expected more than 1, found \(request.multiplier)", field: "multiplier")
        }
        guard request.duration >= .seconds(1) else { throw AccountError(.invalid, "expected 1s or longer", field: "duration") }
        guard !request.reason.allSatisfy(\.isWhitespace) else {
            throw AccountError(.invalid, "expected a reason, found nothing", field: "reason")
        }
        try AccountStore.check(text: request.reason, "reason")
        let boostID = RandomText.id("b")
        let account = try await update(id, by: actor) { account, now throws(AccountError) in
            guard account.boosts.count(where: { $0.until > now }) < 16 else {
                throw AccountError(.conflict, "the account has 16 boosts already; end one of them")
            }
            try checkCaps(&account, now)
            // Whole seconds, as they are written: the end is rounded up.
            let from = StoreTime(microseconds: now.microseconds / 1_000_000 * 1_000_000)
            let until = StoreTime(microseconds: (now + request.duration).epochSecondsRoundedUp * 1_000_000)
            account.boosts.append(
                Boost(boostID, multiplier: request.multiplier, from: from, until: until, reason: request.reason, grantedBy: actor.name)
            )
            try check(account, at: now, field: "multiplier")
            return Note(what: "boost", new: "\(boostID) x\(request.multiplier) until \(until.rfc3339)", reason: request.reason)
        }
        guard let boost = account.boosts.first(where: { $0.id == boostID }) else {
            throw AccountError(.conflict, "the boost has ended already")
        }
        return boost
    }
}
