/// The items that wait for their batch, and when it is sent: without clock and I/O.
struct BatchBook<Item: Sendable>: Sendable {
    /// One item.
    struct Entry: Sendable {
        let number: UInt64
        let item: Item
        let came: Duration
    }

    private let configuration: BatchConfiguration
    /// In the order of coming.
    private var waiting: [Entry] = []
    private var next: UInt64 = 0
    private(set) var underway = 0

    init(_ configuration: BatchConfiguration) { self.configuration = configuration }

    var count: Int { waiting.count }

    /// Takes an item; nil when too many wait.
    mutating func add(_ item: Item, at now: Duration) -> UInt64? {
        guard waiting.count < configuration.mostWaiting else { return nil }
        next += 1
        waiting.append(Entry(number: next, item: item, came: now))
        return next
    }

    /// An item is no longer wanted; one that was sent stays in its batch.
    mutating func remove(_ number: UInt64) { waiting.removeAll { $0.number == number } }

    /// The batch that is to be sent now, which is under way from then on.
    mutating func due(at now: Duration) -> [Entry]? {
        guard underway < max(1, configuration.mostUnderway), let first = waiting.first else { return nil }
        let most = max(1, configuration.mostItems)
        guard waiting.count >= most || now >= first.came + configuration.gathering else { return nil }
        let batch = Array(waiting.prefix(most))
        waiting.removeFirst(batch.count)
        underway += 1
        return batch
    }

    /// When the next batch is due; nil when that is not a question of time.
    var wakesAt: Duration? { underway < max(1, configuration.mostUnderway) ? waiting.first.map { $0.came + configuration.gathering } : nil }

    /// A batch was answered.
    mutating func finish() { underway -= 1 }

    /// Takes everything out.
    mutating func removeAll() -> [Entry] {
        defer { waiting = [] }
        return waiting
    }
}
