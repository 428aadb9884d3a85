internal import Headgate

/// Counts that wait to be sent: a pure value, of a bounded number of entries.
struct UsageTally: Sendable {
    /// What is counted together.
    struct Entry: Sendable, Hashable {
        var identity: Identity
        /// The minute's beginning.
        var minute: StoreTime
        var field: UsageField
    }

    /// Whether a count found room.
    enum Addition: Sendable, Hashable {
        case counted
        case dropped
    }

    private(set) var counts: [Entry: Int64] = [:]
    private let mostEntries: Int

    init(mostEntries: Int) { self.mostEntries = mostEntries }

    /// Counts, unless the entry is new and there are as many as there may be.
    mutating func add(_ count: Int64, to entry: Entry) -> Addition {
        guard let index = counts.index(forKey: entry) else {
            guard counts.count < mostEntries else { return .dropped }
            counts[entry] = count
            return .counted
        }
        counts.values[index] += count
        return .counted
    }

    /// Hands out all counts, and begins anew.
    mutating func take() -> [Entry: Int64] {
        defer { counts = [:] }
        return counts
    }

    /// Adds counts that certainly did not get to Redis; returns how many found no room.
    mutating func putBack(_ batch: UsageBatch) -> Int64 {
        batch.counts.reduce(0) { dropped, count in
            let entry = Entry(identity: batch.identity, minute: batch.minute, field: count.key)
            return add(count.value, to: entry) == .counted ? dropped : dropped + count.value
        }
    }
}

/// What one account did in one minute: what one call of Redis adds.
struct UsageBatch: Sendable, Hashable {
    var identity: Identity
    /// The minute's beginning.
    var minute: StoreTime
    var counts: [UsageField: Int64]

    /// How many decisions it counts.
    var total: Int64 { counts.values.reduce(0, +) }

    /// Sorts counts by account and minute.
    static func batches(of counts: [UsageTally.Entry: Int64]) -> [UsageBatch] {
        struct Owner: Hashable {
            var identity: Identity
            var minute: StoreTime
        }
        var sorted: [Owner: [UsageField: Int64]] = [:]
        for (entry, count) in counts {
            sorted[Owner(identity: entry.identity, minute: entry.minute), default: [:]][entry.field] = count
        }
        return sorted.map { UsageBatch(identity: $0.identity, minute: $0.minute, counts: $1) }
    }
}
