import Headgate
import HeadgateRedis

/// What stands at a key, read without changing it.
struct StoredCount {
    let key: String
    let limit: String
    let format: String
    let meaning: Meaning
    /// How long the key lives on.
    let timeToLive: Duration?

    /// What a value says.
    struct Meaning {
        let words: String
        /// Units in use, or leases held; `nil` for a bucket, where they depend on its rate.
        var used: Int64?
    }

    /// Reads a key; `nil` when there is none.
    static func read(_ key: String, of redis: RedisStore, at now: StoreTime) async throws(LimiterError) -> StoredCount? {
        guard let name = try redis.keySpace().parse(key) else { return nil }
        guard let type = try await redis.command(["TYPE", key]).text, type != "none" else { return nil }
        let milliseconds = try await redis.command(["PTTL", key]).integer ?? -1
        let reader = StateReader(key: key, redis: redis, now: now)
        return StoredCount(
            key: key,
            limit: name.limit,
            format: name.format,
            meaning: try await reader.meaning(name.format, type) ?? StoredCount.foreign(type),
            timeToLive: milliseconds >= 0 ? .milliseconds(milliseconds) : nil
        )
    }

    private static func foreign(_ type: String) -> Meaning {
        Meaning(words: "a \(type) that Headgate did not write; it counts as nothing and is overwritten")
    }

    /// The state in one line.
    var words: String {
        "\(meaning.words); \(timeToLive.map { "the key goes \($0.inWords)" } ?? "the key has no time to live")"
    }
}

/// Reads the values that the script writes, whose forms stand in the files of `lua/`.
///
/// Each function returns nil for a value of another form.
private struct StateReader {
    let key: String
    let redis: RedisStore
    let now: StoreTime

    func meaning(_ format: String, _ type: String) async throws(LimiterError) -> StoredCount.Meaning? {
        switch (format, type) {
        case ("log1", "string"): try await shortLog()
        case ("log1", "list"): try await longLog()
        case ("tb1", "string"): try await bucket()
        case ("fw1", "string"): try await window()
        case ("swc1", "string"): try await counter()
        case ("con1", "zset"): try await concurrency()
        default: nil
        }
    }

    /// `<sum> <newest stamp> <units>`, then the older entries' stamps and units, oldest first.
    private func shortLog() async throws(LimiterError) -> StoredCount.Meaning? {
        guard let value = numbers(try await redis.command(["GET", key]).text, count: 3...4_096) else { return nil }
        return log(value[0], newest: value[1], oldest: value.count > 4 ? value[3] : nil, entries: Int64(value.count - 1) / 2)
    }

    /// A list of the same, the first three numbers as one element.
    private func longLog() async throws(LimiterError) -> StoredCount.Meaning? {
        let length = try await redis.command(["LLEN", key]).integer ?? 1
        guard let head = numbers(try await redis.command(["LINDEX", key, "0"]).text, count: 3...3) else { return nil }
        let oldest = try await redis.command(["LINDEX", key, "1"]).text.flatMap { Int64($0) }
        return log(head[0], newest: head[1], oldest: oldest, entries: (length + 1) / 2)
    }

    private func log(_ sum: Int64, newest: Int64, oldest: Int64?, entries: Int64) -> StoredCount.Meaning {
        let span = entries == 1 ? "entered \(ago(newest))" : "in \(entries) entries from \(ago(oldest ?? newest)) to \(ago(newest))"
        return StoredCount.Meaning(words: "sliding window log: \(units(sum)) \(span)", used: sum)
    }

    /// `<instant at which it is full>`, and a fraction when there is one.
    private func bucket() async throws(LimiterError) -> StoredCount.Meaning? {
        guard let value = numbers(try await redis.command(["GET", key]).text, count: 1...2) else { return nil }
        return StoredCount.Meaning(words: "token bucket: full again \(Duration.microseconds(value[0] - now.microseconds).inWords)")
    }

    /// `<count> <start>`.
    private func window() async throws(LimiterError) -> StoredCount.Meaning? {
        guard let value = numbers(try await redis.command(["GET", key]).text, count: 2...2) else { return nil }
        return StoredCount.Meaning(words: "fixed window: \(units(value[0])) in the window that began \(ago(value[1]))", used: value[0])
    }

    /// `<current> <previous> <start>`.
    private func counter() async throws(LimiterError) -> StoredCount.Meaning? {
        guard let value = numbers(try await redis.command(["GET", key]).text, count: 3...3) else { return nil }
        let current = "\(units(value[0])) in the window that began \(ago(value[2]))"
        return StoredCount.Meaning(words: "sliding window counter: \(current), \(units(value[1])) in the one before", used: value[0])
    }

    /// A sorted set of lease ids by their ends.
    private func concurrency() async throws(LimiterError) -> StoredCount.Meaning? {
        let alive = ["(\(now.microseconds)", "+inf"]
        let held = try await redis.command(["ZCOUNT", key] + alive).integer ?? 0
        let first = try await redis.command(["ZRANGEBYSCORE", key] + alive + ["WITHSCORES", "LIMIT", "0", "1"]).elements?.last?.text
        let end = first.flatMap { Double($0) }.flatMap { Int64(exactly: $0) }.map { Duration.microseconds($0 - now.microseconds) }
        let ending = end.map { "; without renewal the first ends \($0.inWords)" } ?? ""
        return StoredCount.Meaning(words: "concurrency: \(held) held\(ending)", used: held)
    }

    /// The whole numbers between blanks; nil when there is anything else, or another number of them.
    private func numbers(_ text: String?, count: ClosedRange<Int>) -> [Int64]? {
        let words = (text ?? "").split(separator: " ")
        let numbers = words.compactMap { Int64($0) }
        return numbers.count == words.count && count.contains(numbers.count) ? numbers : nil
    }

    private func units(_ count: Int64) -> String { count == 1 ? "1 unit" : "\(count) units" }

    /// The stamp of a slot is its end, which may be still to come.
    private func ago(_ microseconds: Int64) -> String {
        let (age, overflow) = now.microseconds.subtractingReportingOverflow(microseconds)
        return overflow || age <= 0 ? "now" : "\(Duration.microseconds(age).words) ago"
    }
}
