import Headgate
import HeadgateAccounts
import HeadgateJSON
import HeadgatePolicy
import HeadgateProvider

extension JSONValue {
    /// An account as the admin API and the command line show it.
    init(_ account: Account, at now: StoreTime) {
        let running = account.boost(at: now)
        self = [
            "account": .string(account.id),
            "tier": JSONValue(account.tier),
            "created_at": .string(account.created.rfc3339),
            "overrides": .object(
                account.overrides.filter { $0.value.holds(at: now) }.sorted { $0.key < $1.key }.map {
                    Member(name: $0.key, value: JSONValue($0.value))
                }
            ),
            "boosts": .array(account.boosts.filter { $0.until > now }.map { JSONValue($0, isRunning: $0.id == running?.id) }),
            "open_limit_increase": JSONValue(account.openIncrease),
        ]
    }

    private init(_ override: AccountOverride) {
        self = [
            "limit": .string(override.limit.text), "until": JSONValue(override.until?.rfc3339), "reason": .string(override.reason),
            "granted_by": .string(override.grantedBy),
        ]
    }

    /// A key as it is shown, which is without its secret.
    init(_ key: APIKey) {
        self = [
            "key": .string(key.id), "account": .string(key.account), "name": .string(key.name),
            "permissions": .array(key.permissions.sorted().map { .string($0) }), "created_at": .string(key.created.rfc3339),
            "last_used_at": JSONValue(key.lastUsed?.rfc3339), "revoked_at": JSONValue(key.revoked?.rfc3339),
        ]
    }

    /// A key that was just made, with the text that is shown this once.
    init(_ new: NewKey) {
        guard case .object(let members) = JSONValue(new.key) else {
            self = nil
            return
        }
        self = .object([Member(name: "secret", value: .string(new.text))] + members)
    }

    /// What was done to an account.
    init(_ entry: AuditEntry) {
        self = [
            "at": .string(entry.time.rfc3339), "who": .string(entry.who), "what": .string(entry.what), "old": .string(entry.old),
            "new": .string(entry.new), "reason": .string(entry.reason),
        ]
    }
}

extension AccountOverride {
    /// Reads `"5000/hour"`, or `{"limit":"5000/hour","until":"2026-12-01T00:00:00Z","reason":"load test"}`.
    ///
    /// - Throws: ``AccountError/Code/invalid`` with the field.
    init(json value: JSONValue, at field: String) throws(AccountError) {
        do throws(LimiterError) {
            if case .string(let text) = value {
                self.init(try LimitOverride(text: text))
                return
            }
            var fields = try JSONFields(value, at: field)
            let limit = try LimitOverride(text: try fields.requiredString("limit"))
            let until = try fields.string("until")
            let reason = try fields.string("reason") ?? ""
            try fields.finish(expecting: "limit, until, reason")
            self.init(limit, until: try until.map { (text) throws(LimiterError) in try StoreTime(until: text) }, reason: reason)
        } catch {
            throw AccountError(.invalid, error.message, field: field)
        }
    }

    /// Reads an object of overrides by limit.
    ///
    /// - Throws: ``AccountError/Code/invalid`` with the field.
    static func overrides(json value: JSONValue?, at field: String) throws(AccountError) -> [String: AccountOverride] {
        guard let value else { return [:] }
        guard case .object(let members) = value else {
            throw AccountError(.invalid, "expected an object such as {\"read\":\"5000/hour\"}, found \(value.kind)", field: field)
        }
        var overrides: [String: AccountOverride] = [:]
        for member in members { overrides[member.name] = try AccountOverride(json: member.value, at: "\(field).\(member.name)") }
        return overrides
    }
}

extension StoreTime {
    /// Reads an end in RFC 3339.
    init(until text: String) throws(LimiterError) {
        guard let time = StoreTime(rfc3339: text) else {
            throw LimiterError(.badRequest, "expected a time such as 2026-12-01T00:00:00Z, found '\(text.prefix(64))'")
        }
        self = time
    }
}
