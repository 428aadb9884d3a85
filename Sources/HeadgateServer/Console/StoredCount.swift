import Headgate
import HeadgateRedis

/// What stands at a key, read without changing it.
struct StoredCount {
    let key: String
    let limit: String
    let format: String
    /// What the value means.
    let meaning: String
    /// Units in use, or leases held; `nil` for a bucket, where they depend on its rate.
    let used: Int64?
    /// How long the key lives on.
    let timeToLive: Duration?

    /// Reads a key; `nil` when there is none.
    static func read(_ key: String, of redis: RedisStore, at now: StoreTime) async throws(LimiterError) -> StoredCount? {
        guard let name = try redis.keySpace().parse(key), let type = try await redis.command(["TYPE", key]).text, type != "none" else { return nil }
        let milliseconds = try await redis.command(["PTTL", key]).integer ?? -1
        let (meaning, used) = try await meaning(of: key, name.format, type, redis, now)
        return StoredCount(
            key: key,
            limit: name.limit,
            format: name.format,
            meaning: meaning,
            used: used,
            timeToLive: milliseconds >= 0 ? .milliseconds(milliseconds) : nil
        )
    }

    private static func meaning(
        of key: String,
        _ format: String,
        _ type: String,
        _ redis: RedisStore,
        _ now: StoreTime
    ) async throws(LimiterError) -> (String, Int64?) {
        switch (format, type) {
        case ("log1", "list"):
            let length = try await redis.command(["LLEN", key]).integer ?? 1
            let head = (try await redis.command(["LINDEX", key, "0"]).text ?? "").numbers
            guard head.count == 3 else { return foreign(type) }
            let oldest = length > 1 ? try await redis.command(["LINDEX", key, "1"]).text.flatMap { Int64($0) } ?? head[1] : head[1]
            let count = (length + 1) / 2
            let span = count == 1 ? "entered \(ago(head[1], now))" : "in \(count) entries from \(ago(oldest, now)) to \(ago(head[1], now))"
            return ("sliding window log: \(units(head[0])) \(span)", head[0])
        case ("tb1", "string"):
            let value = (try await redis.command(["GET", key]).text ?? "").numbers
            guard let arrival = value.first else { return foreign(type) }
            return ("token bucket: full again \(Duration.microseconds(arrival - now.microseconds).inWords)", nil)
        case ("fw1", "string"):
            let value = (try await redis.command(["GET", key]).text ?? "").numbers
            guard value.count == 2 else { return foreign(type) }
            return ("fixed window: \(units(value[0])) in the window that began \(ago(value[1], now))", value[0])
        case ("swc1", "string"):
            let value = (try await redis.command(["GET", key]).text ?? "").numbers
            guard value.count == 3 else { return foreign(type) }
            let began = ago(value[2], now)
            return ("sliding window counter: \(units(value[0])) in the window that began \(began), \(units(value[1])) in the one before", value[0])
        case ("con1", "zset"):
            let held = try await redis.command(["ZCOUNT", key, "(\(now.microseconds)", "+inf"]).integer ?? 0
            let first = try await redis.command(["ZRANGEBYSCORE", key, "(\(now.microseconds)", "+inf", "WITHSCORES", "LIMIT", "0", "1"])
            let end = first.elements?.last?.text.flatMap { Double($0) }.map { Duration.microseconds(Int64($0) - now.microseconds) }
            let ending = end.map { "; without renewal the first ends \($0.inWords)" } ?? ""
            return ("concurrency: \(held) held\(ending)", held)
        default:
            return foreign(type)
        }
    }

    private static func foreign(_ type: String) -> (String, Int64?) {
        ("a \(type) that Headgate did not write; it counts as nothing and is overwritten", nil)
    }

    private static func units(_ count: Int64) -> String { count == 1 ? "1 unit" : "\(count) units" }

    private static func ago(_ microseconds: Int64, _ now: StoreTime) -> String {
        let age = Duration.microseconds(now.microseconds - microseconds)
        // The stamp of a slot is its end.
        return age > .zero ? "\(age.words) ago" : "now"
    }
}

extension String {
    /// The whole numbers between blanks; empty when there is anything else.
    fileprivate var numbers: [Int64] {
        let words = split(separator: " ")
        let numbers = words.compactMap { Int64($0) }
        return numbers.count == words.count ? numbers : []
    }
}

extension RedisStore {
    /// Redis' clock.
    func time() async throws(LimiterError) -> StoreTime {
        let parts = try await command(["TIME"]).elements?.compactMap { $0.text.flatMap { Int64($0) } } ?? []
        guard parts.count == 2 else { throw LimiterError(.wireProtocol, "Redis' answer to TIME is no time") }
        return StoreTime(microseconds: parts[0] * 1_000_000 + parts[1])
    }

    /// How its keys are named.
    func keySpace() throws(LimiterError) -> KeySpace { try KeySpace(prefix: configuration.keyPrefix) }

    /// The names of an identity's keys, sorted.
    func keyNames(of identity: Identity) async throws(LimiterError) -> [String] {
        var cursor = "0"
        var found: Set<String> = []
        repeat {
            let pattern = "\(configuration.keyPrefix):{\(identity.tag)}:*"
            let reply = try await command(["SCAN", cursor, "MATCH", pattern, "COUNT", "1000"]).elements ?? []
            guard reply.count == 2, let next = reply[0].text else { throw LimiterError(.wireProtocol, "Redis' answer to SCAN is none") }
            found.formUnion(reply[1].elements?.compactMap { $0.text } ?? [])
            cursor = next
        } while cursor != "0"
        return found.sorted()
    }
}
