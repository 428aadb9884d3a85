import HeadgateJSON
package import Headgate
import HeadgatePolicy
import HeadgateRedis

extension Console {
    /// `headgate inspect`: what stands in Redis for a subject, in words.
    ///
    /// With a policy the subject's limits are shown with what is left of them; without one, what the keys alone say.
    ///
    /// - Throws: ``CommandError`` when Redis gives no answer, or the store is no Redis.
    package func inspect(_ subject: Subject, format: Format) async throws(CommandError) -> CommandResult {
        let policy = policy
        return try await withBackend { backend in
            guard let redis = backend.redis else {
                throw CommandError(message: "there is nothing to look at in memory; expected --redis URL", ending: .usage)
            }
            let now = try await redis.time()
            var counts: [StoredCount] = []
            for key in try await redis.keyNames(of: subject.identity) {
                if let count = try await StoredCount.read(key, of: redis, at: now) { counts.append(count) }
            }
            let limits = try policy?.limits(of: subject).compactMap(\.charge?.limit) ?? []
            let statuses = limits.isEmpty ? [] : try await Limiter(store: redis).peek(for: subject.identity, limits: limits).limits
            let overview = Overview(subject: subject, time: now, counts: counts, statuses: statuses)
            switch format {
            case .text: return CommandResult(text: overview.text, ending: .done)
            case .json: return CommandResult(text: String(decoding: overview.json.bytes, as: UTF8.self), ending: .done)
            }
        }
    }
}

/// A subject's live state.
private struct Overview {
    let subject: Subject
    let time: StoreTime
    let counts: [StoredCount]
    /// Of the policy's limits; empty without one.
    let statuses: [LimitStatus]

    var text: String {
        var lines = ["\(subject.identity) at \(time.rfc3339), by Redis' clock"]
        if counts.isEmpty { lines.append("  no keys: nothing is used") }
        for count in counts {
            lines.append("  \(count.key)")
            lines.append("    \(count.words)")
            if let status = statuses.first(where: { $0.id == count.limit }) { lines.append("    \(status.line)") }
        }
        let untouched = statuses.filter { status in !counts.contains { $0.limit == status.id } }
        if !untouched.isEmpty {
            lines.append("  untouched")
            lines += untouched.map { "    \($0.line)" }
        }
        return lines.joined(separator: "\n")
    }

    var json: JSONValue {
        [
            "subject": .string(subject.identity.tag),
            "time": .string(time.rfc3339),
            "time_us": .integer(time.microseconds),
            "keys": .array(
                counts.map { count in
                    [
                        "key": .string(count.key),
                        "limit": .string(count.limit),
                        "format": .string(count.format),
                        "meaning": .string(count.meaning.words),
                        "used": JSONValue(count.meaning.used),
                        "time_to_live_ms": JSONValue(count.timeToLive?.millisecondsRoundedUp),
                    ]
                }
            ),
            "limits": .array(statuses.map { JSONValue($0, at: time) }),
        ]
    }
}
