/// A call that waits to be sent.
struct Ticket: Sendable, Hashable {
    /// What it is known by; higher than all before.
    var number: UInt64
    /// Its place among all calls: the number that the call had when it came first, so that it never waits behind later ones.
    var order: UInt64
    var priority: CallPriority
    /// When it is given up, since the client's start.
    var deadline: Duration
    /// Whether the call was sent before: what was let in once is not turned away.
    var wasSent = false
}

/// Calls that wait for the same, in the order of coming within each priority.
struct Line: Sendable {
    /// By priority, the most urgent first; the slices lose their first elements without moving the others.
    private var lists: [ArraySlice<Ticket>] = CallPriority.allCases.map { _ in [] }

    var isEmpty: Bool { lists.allSatisfy(\.isEmpty) }
    var count: Int { lists.reduce(0) { $0 + $1.count } }
    /// The first of the most urgent.
    var first: Ticket? { lists.lazy.compactMap(\.first).first }

    /// The first of a priority.
    func first(of priority: CallPriority) -> Ticket? { lists[priority.rank].first }

    mutating func add(_ ticket: Ticket) {
        let rank = ticket.priority.rank
        lists[rank].insert(ticket, at: place(of: ticket, in: lists[rank]))
    }

    /// Takes the first of a priority out.
    mutating func removeFirst(of priority: CallPriority) { _ = lists[priority.rank].popFirst() }

    /// Takes a ticket out; nothing when it is not there.
    mutating func remove(_ ticket: Ticket) {
        let rank = ticket.priority.rank
        let index = place(of: ticket, in: lists[rank])
        if index < lists[rank].endIndex, lists[rank][index].number == ticket.number { lists[rank].remove(at: index) }
    }

    /// Takes those out whose deadlines are not after a time.
    mutating func removeAll(endingBy time: Duration) -> [Ticket] {
        var removed: [Ticket] = []
        for rank in lists.indices where lists[rank].contains(where: { $0.deadline <= time }) {
            removed += lists[rank].filter { $0.deadline <= time }
            lists[rank].removeAll { $0.deadline <= time }
        }
        return removed
    }

    /// The first place whose ticket does not go before this one.
    private func place(of ticket: Ticket, in list: ArraySlice<Ticket>) -> Int {
        var (low, high) = (list.startIndex, list.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].order < ticket.order { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
