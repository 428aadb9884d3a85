import Headgate
package import HeadgateAccounts
import HeadgateHTTP
import HeadgateJSON
import HeadgatePolicy

extension Provider {
    /// Boosts the caller's account: `POST /auth/temporary-boost`.
    func takeBoost(_ caller: Caller, _ body: [UInt8]) async throws -> JSONValue {
        guard caller.key.permissions.contains(Policy.boostPermission) else {
            throw AccountError(.notAllowed, "the API key lacks the permission '\(Policy.boostPermission)'")
        }
        let boost = try await directory.store.takeBoost(try BoostRequest(json: body), for: caller.account.id, by: caller.actor)
        // Here at once, and not only when the change is heard of.
        await directory.look()
        // It is taken: that Redis is silent from here on makes no error of it.
        let now = (try? await directory.time()) ?? boost.from
        let running = (try? await directory.account(caller.account.id))?.boost(at: now) ?? boost
        return JSONValue(boost, isRunning: running.id == boost.id)
    }

    /// Notes a request for more: `POST /auth/limit-increase`.
    func askForIncrease(_ caller: Caller, _ body: [UInt8]) async throws -> JSONValue {
        var fields = try BodyFields(body)
        let volume = try fields.words("expected_volume")
        let useCase = try fields.words("use_case")
        let timeline = try fields.words("timeline")
        try fields.finish()
        let increase = try await directory.store.askForIncrease(
            caller.account.id,
            expectedVolume: volume,
            useCase: useCase,
            timeline: timeline,
            by: caller.actor
        )
        return JSONValue(increase)
    }
}

extension Caller {
    /// The key, as the audit names it.
    var actor: Actor { Actor("key \(key.id)") }
}

extension BoostRequest {
    /// Reads `{"multiplier":2,"duration":"24h","reason":"Data migration"}`.
    ///
    /// - Throws: ``AccountError/Code/invalid`` with the field.
    package init(json body: [UInt8]) throws(AccountError) {
        var fields = try BodyFields(body)
        let multiplier = try fields.multiplier("multiplier")
        let duration = try fields.duration("duration")
        let reason = try fields.text("reason")
        try fields.finish()
        self.init(multiplier: multiplier, duration: duration, reason: reason)
    }
}
