package import Headgate
package import HeadgateAccounts
package import HeadgateJSON
import HeadgatePolicy
import HeadgateProvider
import HeadgateYAML

/// What the account commands print: words, and the same as JSON.
package struct AccountOutput: Sendable {
    /// For people.
    package var text: String
    /// For programs.
    package var json: JSONValue
}

extension Console {
    /// Does something with accounts, and says what came of it.
    ///
    /// Without a policy of its own the command checks by the one that a server of this Redis serves.
    /// - Throws: ``CommandError`` when it could not be done.
    package func accounts(
        _ format: Format,
        _ body: @Sendable (AccountStore) async throws -> AccountOutput
    ) async throws(CommandError) -> CommandResult {
        let policy = policy
        return try await withBackend { backend in
            guard let redis = backend.redis else {
                throw CommandError(message: "accounts live in Redis; expected --redis URL", ending: .usage)
            }
            do {
                let bare = AccountStore(redis)
                let published = policy == nil ? try await bare.publishedPolicy().flatMap { try? Policy(yaml: $0) } : nil
                let output = try await body(AccountStore(redis, policy: policy ?? published))
                return CommandResult(text: format == .json ? output.json.text : output.text, ending: .done)
            } catch let error as AccountError {
                if let cause = error.cause { throw CommandError(cause) }
                throw CommandError(message: error.description, ending: error.code == .unavailable ? .backend : .usage)
            }
        }
    }
}

extension AccountOutput {
    /// An account.
    package init(_ account: Account, at now: StoreTime) {
        json = JSONValue(account, at: now)
        var lines = ["account \(account.id), tier \(account.tier ?? "the policy's default"), since \(account.created.rfc3339)"]
        for (limit, override) in account.overrides.sorted(by: { $0.key < $1.key }) where override.holds(at: now) {
            let until = override.until.map { " until \($0.rfc3339)" } ?? ""
            lines.append(
                "  override \(limit): \(override.limit.text)\(until)\(override.reason.isEmpty ? "" : ", \(override.reason.printable)")"
            )
        }
        let running = account.boost(at: now)?.id
        for boost in account.boosts where boost.until > now {
            let waits = boost.id == running ? "" : ", waits for the end of a larger one"
            lines.append("  boost \(boost.id): x\(boost.multiplier) until \(boost.until.rfc3339), \(boost.reason.printable)\(waits)")
        }
        if let increase = account.openIncrease { lines.append("  asks for more: \(increase)") }
        text = lines.joined(separator: "\n")
    }

    /// Several accounts.
    package init(_ accounts: [Account], at now: StoreTime) {
        json = ["accounts": .array(accounts.map { JSONValue($0, at: now) })]
        text = accounts.isEmpty ? "no accounts" : accounts.map { AccountOutput($0, at: now).text }.joined(separator: "\n")
    }

    /// A key that was just made.
    package init(_ new: NewKey) {
        json = JSONValue(new)
        text = "\(new.text)\nThis is the only time that the key is shown. Its id is \(new.key.id)."
    }

    /// A key.
    package init(_ key: APIKey) {
        json = JSONValue(key)
        text = AccountOutput.line(key)
    }

    /// An account's keys.
    package init(_ keys: [APIKey]) {
        json = ["keys": .array(keys.map { JSONValue($0) })]
        text = keys.isEmpty ? "no keys" : keys.map(AccountOutput.line).joined(separator: "\n")
    }

    /// A boost.
    package init(_ boost: Boost, of account: Account, at now: StoreTime) {
        json = JSONValue(boost, isRunning: account.boost(at: now)?.id == boost.id)
        text = "boost \(boost.id): x\(boost.multiplier) until \(boost.until.rfc3339)"
    }

    /// Requests for more.
    package init(_ increases: [LimitIncrease]) {
        json = ["limit_increases": .array(increases.map { JSONValue($0) })]
        text =
            increases.isEmpty
            ? "no requests"
            : increases.map { increase in
                """
                \(increase.id) of \(increase.account) (\(increase.tier)), \(increase.status.rawValue), \(increase.created.rfc3339)
                  volume    \(increase.expectedVolume.printable)
                  use case  \(increase.useCase.printable)
                  timeline  \(increase.timeline.printable)
                """
            }.joined(separator: "\n")
    }

    /// What was done to an account.
    package init(_ audit: [AuditEntry]) {
        json = ["audit": .array(audit.map { JSONValue($0) })]
        text = audit.map { entry in
            let change = entry.old.isEmpty ? entry.new : "\(entry.old) -> \(entry.new)"
            let reason = entry.reason.isEmpty ? "" : " (\(entry.reason))"
            return "\(entry.time.rfc3339) \(entry.who): \(entry.what) \(change)\(reason)".printable
        }.joined(separator: "\n")
    }

    private static func line(_ key: APIKey) -> String {
        let permissions = key.permissions.isEmpty ? "no permissions" : key.permissions.sorted().joined(separator: ",")
        let state = key.revoked.map { "revoked \($0.rfc3339)" } ?? key.lastUsed.map { "last used \($0.rfc3339)" } ?? "not used yet"
        return "\(key.id) of \(key.account): \(permissions), \(state)\(key.name.isEmpty ? "" : ", \(key.name.printable)")"
    }
}

extension AccountOverride {
    /// Reads what the command line says: a limit, and its end as an instant or as a time from now.
    ///
    /// - Throws: ``CommandError`` naming what cannot be read.
    package init(_ limit: String, until: String?, reason: String, now: StoreTime) throws(CommandError) {
        do throws(LimiterError) {
            var end: StoreTime?
            if let until { end = if let instant = StoreTime(rfc3339: until) { instant } else { now + (try Duration(readable: until)) } }
            self.init(try LimitOverride(text: limit), until: end, reason: reason)
        } catch {
            throw CommandError(error)
        }
    }

    /// Reads `LIMIT=RATE` options.
    ///
    /// - Throws: ``CommandError`` naming what cannot be read.
    package static func options(_ texts: [String]) throws(CommandError) -> [String: AccountOverride] {
        var overrides: [String: AccountOverride] = [:]
        for (limit, override) in try Subject.options(account: "any", tier: nil, permissions: [], overrides: texts).overrides {
            overrides[limit] = AccountOverride(override)
        }
        return overrides
    }
}

extension BoostRequest {
    /// Reads what the command line says.
    ///
    /// - Throws: ``CommandError`` naming what cannot be read.
    package init(multiplier: String, duration: String, reason: String) throws(CommandError) {
        do throws(LimiterError) {
            self.init(multiplier: try Multiplier(multiplier), duration: try Duration(readable: duration), reason: reason)
        } catch {
            throw CommandError(error)
        }
    }
}

extension String {
    /// What somebody else wrote, fit for an operator's terminal: what moves its cursor or begins a line is replaced.
    fileprivate var printable: String {
        let moving: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]
        return String(String.UnicodeScalarView(unicodeScalars.map { moving.contains($0.properties.generalCategory) ? "?" : $0 }))
    }
}
