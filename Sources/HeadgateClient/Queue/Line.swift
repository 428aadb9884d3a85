/// A call that waits to be sent.
struct Ticket: Sendable, Hashable {
    /// What it is known by; higher than all before.
    var number: UInt64
    /// Its place among all calls: the number that the call had when it came first, so that it never waits behind later ones.
    var order: UInt64
    var priority: CallPriority
    /// When it is given up, since the client's start.
    var deadline: Duration

    /// Whether it goes before another.
    func precedes(_ other: Ticket) -> Bool {
        priority == other.priority ? order < other.order : priority < other.priority
    }
}

/// Calls that wait for the same, by priority and then in the order of coming.
struct Line: Sendable {
    private var tickets: [Ticket] = []

    var isEmpty: Bool { tickets.isEmpty }
    var count: Int { tickets.count }
    var first: Ticket? { tickets.first }

    mutating func add(_ ticket: Ticket) { tickets.insert(ticket, at: place(of: ticket)) }

    mutating func removeFirst() -> Ticket { tickets.removeFirst() }

    /// Takes a ticket out; nothing when it is not there.
    mutating func remove(_ ticket: Ticket) {
        let index = place(of: ticket)
        if index < tickets.count, tickets[index].number == ticket.number { tickets.remove(at: index) }
    }

    /// The first place whose ticket does not go before this one.
    private func place(of ticket: Ticket) -> Int {
        var (low, high) = (0, tickets.count)
        while low < high {
            let middle = (low + high) / 2
            if tickets[middle].precedes(ticket) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
