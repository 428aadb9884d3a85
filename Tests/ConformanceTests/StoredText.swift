import Headgate

@testable import HeadgateRedis

/// Redis' side of a state, read with plain commands as an operator would.
enum StoredText {
    /// The command that shows a key of an algorithm; a log also when it is a list.
    static func command(_ algorithm: Algorithm.Name, _ key: String) -> [String] {
        switch algorithm {
        case .slidingWindowLog: ["EVAL", showingLog, "1", key]
        case .tokenBucket, .fixedWindow, .slidingWindowCounter: ["GET", key]
        case .concurrency: ["ZRANGE", key, "0", "-1", "WITHSCORES"]
        }
    }

    private static let showingLog =
        "if redis.call('TYPE', KEYS[1]).ok == 'list' then return table.concat(redis.call('LRANGE', KEYS[1], 0, -1), ' ') end return redis.pcall('GET', KEYS[1])"

    /// The state that an answer to that command means; `nil` when the key is absent or holds something else.
    static func state(_ algorithm: Algorithm.Name, _ value: RedisValue) -> StoredState? {
        let texts = value.elements.map { $0.compactMap(\.text) } ?? value.text.map { [$0] } ?? []
        guard !texts.isEmpty else { return nil }
        let numbers = texts[0].split(separator: " ", omittingEmptySubsequences: false).map { Int64($0) ?? -1 }
        guard algorithm == .concurrency || !numbers.contains(-1) else { return nil }
        switch (algorithm, numbers.count) {
        case (.tokenBucket, 1): return .bucket(.init(arrival: numbers[0], fraction: 0))
        case (.tokenBucket, 2): return .bucket(.init(arrival: numbers[0], fraction: numbers[1]))
        case (.fixedWindow, 2): return .window(.init(count: numbers[0], start: numbers[1]))
        case (.slidingWindowCounter, 3): return .counter(.init(current: numbers[0], previous: numbers[1], start: numbers[2]))
        case (.slidingWindowLog, 3...): return log(sum: numbers[0], newest: numbers[1], units: numbers[2], older: numbers[3...])
        case (.concurrency, _): return leases(texts)
        default: return nil
        }
    }

    private static func log(sum: Int64, newest: Int64, units: Int64, older: ArraySlice<Int64>) -> StoredState? {
        guard older.count % 2 == 0 else { return nil }
        var entries = stride(from: older.startIndex, to: older.endIndex, by: 2).map { index in
            SlidingWindowLog.State.Entry(stamp: older[index], units: older[index + 1])
        }
        entries.append(.init(stamp: newest, units: units))
        let state = SlidingWindowLog.State(entries: entries)
        return state.sum == sum ? .log(state) : nil
    }

    private static func leases(_ texts: [String]) -> StoredState? {
        var leases: [String: Int64] = [:]
        for index in stride(from: 0, to: texts.count - 1, by: 2) {
            guard let end = Int64(texts[index + 1]) else { return nil }
            leases[texts[index]] = end
        }
        return leases.isEmpty ? nil : .concurrency(.init(leases: leases))
    }
}
