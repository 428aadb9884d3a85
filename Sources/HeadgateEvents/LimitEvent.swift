internal import Headgate
internal import HeadgateJSON

/// An account came near one of its limits, or reached it: an entry of the stream `hg:{g:headgate}:events`.
struct LimitEvent: Sendable, Hashable {
    /// What happened.
    enum Kind: String, Sendable, Hashable {
        case near = "limit.near"
        case reached = "limit.reached"
    }

    var kind: Kind
    /// The account's id as it stands in keys.
    var account: String
    /// The limit's public name.
    var limit: String
    var limitID: String
    /// The share that was configured to be told of.
    var percent: Int64
    /// Units that were used.
    var used: Int64
    /// Units that there are.
    var allowed: Int64
    var windowSeconds: Int64
    /// The store's time at which it was seen, in RFC 3339.
    var at: String
    /// The time at which more becomes available, in RFC 3339.
    var resetAt: String
}

extension LimitEvent {
    /// What a limit's status says of an identity, at the store's time.
    init(_ crossing: Crossing) {
        let status = crossing.status
        kind = crossing.key.percent == 100 ? .reached : .near
        let tag = crossing.key.identity.tag
        account = crossing.key.identity.kind == .account ? String(tag.dropFirst(2)) : tag
        limit = status.name
        limitID = status.id
        percent = Int64(crossing.key.percent)
        used = crossing.use.used
        allowed = crossing.use.limit
        windowSeconds = StoreTime(microseconds: crossing.use.window.wholeMicroseconds).epochSecondsRoundedUp
        at = crossing.time.rfc3339
        let wait = status.verdict == .denied ? status.retryAfter ?? status.nextUnit : status.nextUnit
        resetAt = (crossing.time + wait).rfc3339
    }

    /// The entry's fields, name and value by turns.
    var fields: [String] {
        [
            "type", kind.rawValue, "account", account, "limit", limit, "limit_id", limitID, "percent", String(percent),
            "used", String(used), "allowed", String(allowed), "window_seconds", String(windowSeconds), "at", at, "reset_at", resetAt,
        ]
    }

    /// Reads an entry's fields; nil when it is none of ours.
    init?(fields: [String: String]) {
        func number(_ name: String) -> Int64? { fields[name].flatMap { Int64($0) } }
        guard let kind = fields["type"].flatMap(Kind.init(rawValue:)), let account = fields["account"], let limit = fields["limit"],
            let limitID = fields["limit_id"], let percent = number("percent"), let used = number("used"), let allowed = number("allowed"),
            let windowSeconds = number("window_seconds"), let at = fields["at"], let resetAt = fields["reset_at"]
        else { return nil }
        self.kind = kind
        self.account = account
        self.limit = limit
        self.limitID = limitID
        self.percent = percent
        self.used = used
        self.allowed = allowed
        self.windowSeconds = windowSeconds
        self.at = at
        self.resetAt = resetAt
    }

    /// The body of a webhook.
    func json(id: String) -> JSONValue {
        [
            "id": .string(id),
            "type": .string(kind.rawValue),
            "created_at": .string(at),
            "data": [
                "account": .string(account),
                "limit": .string(limit),
                "limit_id": .string(limitID),
                "percent": .integer(percent),
                "used": .integer(used),
                "allowed": .integer(allowed),
                "window_seconds": .integer(windowSeconds),
                "reset_at": .string(resetAt),
            ],
        ]
    }
}
