import Headgate
import HTTPTypes
import RawStructuredFieldValues

/// The `RateLimit-Policy` and `RateLimit` fields of draft-ietf-httpapi-ratelimit-headers, drafts -08 to -11.
///
/// They list every enforced limit that the store judged, in the order of the rules. Unlimited limits have no quota. Limits in
/// shadow mode are left out: they never deny, and a client that obeyed them would be held back by a limit that does not hold yet.
struct RateLimitFields {
    let policy: String
    let state: String

    /// The fields, or `nil` when no limit is to be listed or the answer was given without the store.
    init?(_ decision: Decision) {
        guard !decision.isDegraded else { return nil }
        let listed = decision.limits.filter { $0.mode == .enforced && ($0.verdict == .allowed || $0.verdict == .denied) }
        guard
            let policy = RateLimitFields.serialise(listed.compactMap(RateLimitFields.policy)),
            let state = RateLimitFields.serialise(listed.compactMap(RateLimitFields.state))
        else { return nil }
        self.policy = policy
        self.state = state
    }

    func write(to fields: inout HTTPFields) {
        fields[.rateLimitPolicy] = policy
        fields[.rateLimit] = state
    }

    /// `"read";q=1000;w=3600`: the default unit, requests, is not spelled out, as the draft has two spellings of it.
    private static func policy(of status: LimitStatus) -> ItemOrInnerList? {
        guard let limit = status.limit else { return nil }
        var parameters: OrderedMap<String, RFC9651BareItem> = ["q": integer(limit)]
        if status.algorithm == .concurrency { parameters["qu"] = .string("concurrent-requests") }
        if let window = status.window { parameters["w"] = integer(max(1, window.secondsRoundedUp)) }
        return .item(Item(bareItem: .string(status.id), parameters: parameters))
    }

    /// `"read";r=999;t=12`: rounded up, so that nobody comes back early.
    private static func state(of status: LimitStatus) -> ItemOrInnerList? {
        guard let remaining = status.remaining else { return nil }
        var parameters: OrderedMap<String, RFC9651BareItem> = ["r": integer(remaining)]
        if let wait = wait(of: status) { parameters["t"] = integer(wait) }
        return .item(Item(bareItem: .string(status.id), parameters: parameters))
    }

    /// The seconds until more quota; for a limit that denies, until the request fits, so that `Retry-After` is never earlier.
    ///
    /// `nil` when the request never fits, and for concurrency with free slots: the next may come back at any moment.
    private static func wait(of status: LimitStatus) -> Int64? {
        if status.verdict == .denied { return status.retryAfter.map { max(1, $0.secondsRoundedUp) } }
        return status.algorithm == .concurrency ? nil : status.nextUnit.secondsRoundedUp
    }

    /// An integer of at most 15 digits (RFC 9651 3.3.1), not below zero.
    private static func integer(_ value: Int64) -> RFC9651BareItem {
        .integer(min(max(0, value), 999_999_999_999_999))
    }

    /// `nil` when empty (RFC 9651 4.1: an empty list is not sent) and when a name is no legal String, which ids never are.
    private static func serialise(_ list: [ItemOrInnerList]) -> String? {
        var serialiser = StructuredFieldValueSerializer()
        guard !list.isEmpty, let bytes = try? serialiser.writeListFieldValue(list) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
