import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgatePolicy
import HeadgateProvider
import NIOCore

/// Completes what services say of a subject with what its account's record says.
struct SubjectFinder: Sendable {
    /// The accounts; `nil` when counts live in memory, and accounts nowhere.
    let provider: Provider?
    let clients: ClientLocator

    /// A subject with its account's tier, overrides and boost, unless the service said a tier or an override itself.
    ///
    /// An account that has no record stays as the service described it, and so does every account while Redis is away: the limits'
    /// failure policies answer then.
    func completed(_ subject: Subject, address: Identity? = nil) async throws -> Subject {
        var subject = subject
        if subject.address == nil { subject.address = address }
        guard let provider, subject.identity.kind == .account, subject.tier == nil, subject.overrides.isEmpty else { return subject }
        do throws(AccountError) {
            guard let account = try await provider.directory.account(of: subject.identity) else { return subject }
            let now = try await provider.directory.time()
            subject.tier = account.tier
            subject.overrides = account.overrides(at: now)
            subject.boost = account.boost(at: now)?.multiplier ?? 1
            return subject
        } catch {
            guard error.code == .unavailable else { throw error }
            return subject
        }
    }

    /// The address that a request came from.
    func address(_ fields: HTTPFields, peer: SocketAddress?) throws(LimiterError) -> Identity {
        try clients.address(fields, peer: peer).identity(prefix: clients.prefix)
    }

    /// What the limiter is asked, with the request's priority and cost.
    func limitRequest(
        _ subject: Subject,
        _ fields: HTTPFields,
        _ endpoint: Endpoint,
        isBelieved: Bool
    ) throws(LimiterError) -> LimitRequest {
        if let provider { return try provider.limitRequest(subject, fields, endpoint, trust: isBelieved ? .service : .client) }
        return LimitRequest(subject: subject, endpoint: endpoint, priority: try fields.single(.xPriority).map { Priority($0) } ?? .normal)
    }

    /// Notes a decision for analytics and events.
    func note(_ decision: Decision, for identity: Identity) {
        if identity.kind == .account { provider?.note(decision, for: identity) }
    }
}
