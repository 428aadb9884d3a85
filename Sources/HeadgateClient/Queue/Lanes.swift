/// The lanes of all keys, and the calls that wait in them: bounded, without clock and I/O.
struct Lanes: Sendable {
    /// What a call that waits has come to.
    enum Fate: Sendable, Hashable {
        /// It waits on, until its bell rings or, if it keeps the time for its lane, this moment has come.
        case waits(until: Duration?)
        /// It may be sent.
        case granted
        /// It cannot fit before its deadline; this is when it could.
        case refused(until: Duration)
    }

    /// A place in a lane.
    struct Place: Sendable, Hashable {
        var key: String
        var route: String
        var ticket: Ticket
    }

    private struct Waiter: Sendable {
        var place: Place
        var fate: Fate?
        var bell: Bell
    }

    private struct Entry: Sendable {
        var lane: Lane
        /// The call that wakes the lane up when its time has come.
        var keeper: UInt64?
        var wake: Duration?
        var lastUsed: Duration
    }

    private let pacing: PacingConfiguration
    private let queue: QueueConfiguration
    private var entries: [String: Entry] = [:]
    private var waiters: [UInt64: Waiter] = [:]
    private var nextNumber: UInt64 = 0
    /// Calls that sleep before they are sent again.
    var sleeping = 0

    init(pacing: PacingConfiguration, queue: QueueConfiguration) {
        self.pacing = pacing
        self.queue = queue
    }

    var waiting: Int { waiters.count + sleeping }
    func lane(of key: String) -> Lane? { entries[key]?.lane }

    /// A number for a call, higher than all before.
    mutating func makeNumber() -> UInt64 {
        nextNumber += 1
        return nextNumber
    }

    /// Lets a call wait; nil when too many do.
    mutating func enter(_ ticket: Ticket, _ key: String, _ route: String, bell: Bell, at now: Duration) -> Place? {
        guard ticket.wasSent || waiting < queue.mostWaiting, makeRoom(for: key) else { return nil }
        let route = entries[key]?.lane.bounded(route) ?? route
        let place = Place(key: key, route: route, ticket: ticket)
        let new = Entry(lane: Lane(pacing, mostOvertaking: queue.mostOvertaking), lastUsed: now)
        entries[key, default: new].lane.enter(ticket, on: route)
        entries[key]?.lastUsed = now
        waiters[ticket.number] = Waiter(place: place, bell: bell)
        return place
    }

    /// What a call has come to; it leaves with an answer other than to wait.
    mutating func fate(of place: Place) -> Fate {
        let number = place.ticket.number
        if let fate = waiters[number]?.fate {
            remove(place)
            return fate
        }
        if entries[place.key]?.keeper == nil { entries[place.key]?.keeper = number }
        return .waits(until: entries[place.key]?.keeper == number ? entries[place.key]?.wake : nil)
    }

    /// A call no longer waits; returns whether it had been granted already, so that its flight has to end.
    mutating func leave(_ place: Place) -> Fate? {
        let fate = waiters[place.ticket.number]?.fate
        entries[place.key]?.lane.leave(place.ticket, on: place.route)
        remove(place)
        return fate
    }

    private mutating func remove(_ place: Place) {
        let number = place.ticket.number
        waiters[number] = nil
        if entries[place.key]?.keeper == number { entries[place.key]?.keeper = nil }
    }

    /// Lets those go whose turn it is; returns the bells to ring.
    mutating func dispatch(_ key: String, at now: Duration) -> [Bell] {
        // The lane is changed where it is: a copy of it would be as long as its queue.
        guard let turns = entries[key]?.lane.dispatch(at: now) else { return [] }
        var bells: [Bell] = []
        for number in turns.granted {
            waiters[number]?.fate = .granted
            if let bell = waiters[number]?.bell { bells.append(bell) }
        }
        for (number, until) in turns.refused {
            waiters[number]?.fate = .refused(until: until)
            if let bell = waiters[number]?.bell { bells.append(bell) }
        }
        if let keeper = entries[key]?.keeper, waiters[keeper]?.fate != nil { entries[key]?.keeper = nil }
        // Whoever keeps the time learns when it is to be earlier; where nobody does, the first in a line begins.
        var mustTell = turns.wake.map { wake in entries[key]?.wake.map { wake < $0 } ?? true } ?? false
        if entries[key]?.keeper == nil {
            let next = entries[key]?.lane.anyWaiting
            entries[key]?.keeper = next
            mustTell = true
        }
        if mustTell, let keeper = entries[key]?.keeper, let bell = waiters[keeper]?.bell { bells.append(bell) }
        entries[key]?.wake = turns.wake
        return bells
    }

    /// Changes a lane, and lets those go whose turn has come by it.
    mutating func change(_ key: String, at now: Duration, _ change: (inout Lane) -> Void) -> [Bell] {
        guard let index = entries.index(forKey: key) else { return [] }
        entries.values[index].lastUsed = now
        change(&entries.values[index].lane)
        return dispatch(key, at: now)
    }

    /// Makes room for one more key: an idle one is forgotten, the one that was used the longest time ago.
    private mutating func makeRoom(for key: String) -> Bool {
        guard entries[key] == nil, entries.count >= queue.mostKeys else { return true }
        guard let oldest = entries.filter({ $0.value.lane.isIdle }).min(by: { $0.value.lastUsed < $1.value.lastUsed }) else { return false }
        entries[oldest.key] = nil
        return true
    }
}
