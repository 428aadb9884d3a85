/// The crossings that wait to be emitted, and those known already: a pure value of bounded size.
struct WatchTable: Sendable {
    /// What became of a crossing.
    enum Note: Sendable, Hashable {
        case queued
        /// Its window has not passed.
        case known
        /// Too many wait.
        case dropped
    }

    private(set) var queue: [Crossing] = []
    private let mostWaiting: Int

    /// The end of each known crossing's window, in two generations: when the younger is full, the older is forgotten, and what was in
    /// it costs one more question to Redis.
    private var young: [Crossing.Key: Duration] = [:]
    private var old: [Crossing.Key: Duration] = [:]
    private let generation: Int

    init(mostWaiting: Int, mostKnown: Int) {
        self.mostWaiting = mostWaiting
        generation = max(1, mostKnown / 2)
    }

    /// How many crossings are known.
    var known: Int { young.count + old.count }

    /// Queues a crossing, unless it is known or too many wait.
    mutating func note(_ crossing: Crossing, at now: Duration) -> Note {
        if let end = young[crossing.key] ?? old[crossing.key], now < end { return .known }
        guard queue.count < mostWaiting else { return .dropped }
        remember(crossing.key, until: now + crossing.use.window)
        queue.append(crossing)
        return .queued
    }

    /// Lets a crossing be known up to an instant.
    mutating func remember(_ key: Crossing.Key, until end: Duration) {
        old[key] = nil
        if young[key] == nil, young.count >= generation {
            old = young
            young = [:]
        }
        young[key] = end
    }

    /// Lets the next sight of a crossing be new.
    mutating func forget(_ key: Crossing.Key) {
        young[key] = nil
        old[key] = nil
    }

    /// Hands out all that wait, in order.
    mutating func take() -> [Crossing] {
        defer { queue = [] }
        return queue
    }

    /// Puts crossings back that are still to be emitted; returns how many found no room.
    mutating func putBack(_ crossings: [Crossing]) -> Int {
        let fitting = crossings.prefix(max(0, mostWaiting - queue.count))
        queue = fitting + queue
        return crossings.count - fitting.count
    }
}
