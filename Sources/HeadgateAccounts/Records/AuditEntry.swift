public import Headgate
internal import HeadgateRedis

/// One thing that was done to a record.
public struct AuditEntry: Sendable, Hashable {
    /// When, by Redis' clock.
    public let time: StoreTime
    /// By whom.
    public let who: String
    /// What: `tier`, `override read`, `boost`, ...
    public let what: String
    /// What stood there before.
    public let old: String
    /// What stands there now.
    public let new: String
    /// Why.
    public let reason: String

    /// Reads an entry of the stream; nil when it is none of ours.
    init?(_ value: RedisValue) {
        guard let parts = value.elements, parts.count == 2, let id = parts[0].text, let fields = parts[1].elements?.compactMap(\.text),
            let milliseconds = id.split(separator: "-").first.flatMap({ Int64($0) })
        else { return nil }
        var values: [String: String] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) { values[fields[index]] = fields[index + 1] }
        time = StoreTime(microseconds: milliseconds * 1_000)
        who = values["who"] ?? ""
        what = values["what"] ?? ""
        old = values["old"] ?? ""
        new = values["new"] ?? ""
        reason = values["reason"] ?? ""
    }
}
