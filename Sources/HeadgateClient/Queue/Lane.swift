/// The calls of one API key: who waits, what is under way, and what is known of the key's limits.
///
/// It decides who may be sent when, without clock, I/O and chance of its own; all times are since the client's start.
struct Lane: Sendable {
    /// What asking who may go brings.
    struct Turns: Sendable, Hashable {
        /// Calls that may be sent now.
        var granted: [UInt64] = []
        /// Calls that cannot fit before their deadline, and when they could.
        var refused: [UInt64: Duration] = [:]
        /// When to ask again; nil when an answer has to come first.
        var wake: Duration?
    }

    /// One request that was sent.
    struct Flight: Sendable {
        var route: String
        /// Its place among all that were sent; a ticket's number tells when it came to wait, which is another order.
        var sequence: UInt64
        var sent: Duration
        /// Requests that were under way when it was sent, itself too.
        var underway: Int
    }

    /// The requests that the same limits are assumed for.
    struct Route: Sendable {
        var line = Line()
        /// The names of the limits that answers have named.
        var quotas: Set<String> = []
        /// Whether an answer has come.
        var isKnown = false
        /// The requests that are not answered yet, by their place among those that were sent.
        var underway: Set<UInt64> = []
        /// No call in the line has a deadline before this.
        var searched: Duration = .zero
    }

    static let mostRoutes = 128
    static let mostQuotas = 64

    private let pacing: PacingConfiguration
    var routes: [String: Route] = [:]
    var quotas: [String: Quota] = [:]
    var flights: [UInt64: Flight] = [:]
    var bound: ConcurrencyBound
    /// Before this time nothing of the key is sent.
    private(set) var heldUntil: Duration = .zero
    /// When slots that were given back may be used again.
    private var resting: [Duration] = []
    private var nextDispatch: Duration = .zero
    private var sequence: UInt64 = 0
    private var overtaking: Overtaking

    init(_ pacing: PacingConfiguration, mostOvertaking: Int = QueueConfiguration().mostOvertaking) {
        self.pacing = pacing
        overtaking = Overtaking(atMost: mostOvertaking)
        bound = ConcurrencyBound(pacing.concurrency)
    }

    var isIdle: Bool { flights.isEmpty && routes.values.allSatisfy(\.line.isEmpty) }
    /// The number of some call that waits.
    var anyWaiting: UInt64? { routes.values.lazy.compactMap { $0.line.first?.number }.first }
    var waiting: Int { routes.values.reduce(0) { $0 + $1.line.count } }
    var reserve: Double { 1 - min(max(pacing.burst, 0), 1) }

    /// Whether other processes keep the pace with us, so that what answers say of it is late.
    private var isShared: Bool { if case .shared = pacing.sharing { true } else { false } }

    /// The route that stands for another when there are too many.
    func bounded(_ route: String) -> String { routes[route] != nil || routes.count < Lane.mostRoutes ? route : "*" }

    /// A call comes to wait.
    mutating func enter(_ ticket: Ticket, on route: String) {
        routes[route, default: Route()].line.add(ticket)
        if let searched = routes[route]?.searched, ticket.deadline <= searched { routes[route]?.searched = .zero }
    }

    /// A call gives up waiting.
    mutating func leave(_ ticket: Ticket, on route: String) { routes[route]?.line.remove(ticket) }

    /// Nothing of the key is sent for a time.
    mutating func hold(for time: Duration, at now: Duration) { heldUntil = max(heldUntil, now + min(time, pacing.longestHold)) }

    /// Who may be sent now, and when to ask again.
    mutating func dispatch(at now: Duration) -> Turns {
        var turns = Turns()
        resting.removeAll { $0 <= now }
        while let (name, ticket) = nextCall(at: now, &turns) {
            routes[name]?.line.removeFirst(of: ticket.priority)
            sequence += 1
            routes[name]?.underway.insert(sequence)
            flights[ticket.number] = Flight(route: name, sequence: sequence, sent: now, underway: flights.count + 1)
            for quota in routes[name]?.quotas ?? [] { quotas[quota]?.send(sequence, at: now) }
            nextDispatch = max(nextDispatch, now) + pacing.dispatchRate.interval
            turns.granted.append(ticket.number)
        }
        return turns
    }

    /// The call that goes next; nil when none may go now.
    private mutating func nextCall(at now: Duration, _ turns: inout Turns) -> (String, Ticket)? {
        turns.wake = nil
        var best: [CallPriority: (String, Ticket)] = [:]
        for name in routes.keys {
            refuse(name, at: now, &turns)
            guard let route = routes[name], !route.line.isEmpty, let next = next(on: route, at: now) else { continue }
            guard next <= now else {
                turns.wake = min(turns.wake ?? next, next)
                continue
            }
            for priority in CallPriority.allCases {
                guard let ticket = route.line.first(of: priority) else { continue }
                if best[priority].map({ ticket.order < $0.1.order }) ?? true { best[priority] = (name, ticket) }
            }
        }
        guard let priority = overtaking.next(of: Array(best.keys)) else { return nil }
        let gate = max(heldUntil, nextDispatch)
        if gate > now {
            turns.wake = gate
            return nil
        }
        guard flights.count + resting.count < bound.slots else {
            turns.wake = [turns.wake, resting.min()].compactMap { $0 }.min()
            return nil
        }
        overtaking.goes(priority, of: Array(best.keys))
        return best[priority]
    }

    /// When the head of a route may go; nil when an answer has to come first.
    private func next(on route: Route, at now: Duration) -> Duration? {
        // One goes ahead where nothing is known; its answer tells how many may follow.
        guard route.isKnown else { return route.underway.isEmpty ? .zero : nil }
        guard !isShared else { return .zero }
        var latest = Duration.zero
        for name in route.quotas {
            guard let quota = quotas[name] else { continue }
            guard let next = quota.next(at: now) else { return nil }
            latest = max(latest, next)
        }
        return latest
    }

    /// Refuses the calls of a route whose time comes before anything of theirs can be sent.
    private mutating func refuse(_ name: String, at now: Duration, _ turns: inout Turns) {
        guard let route = routes[name] else { return }
        let walls = isShared ? [] : route.quotas.compactMap { quotas[$0]?.wall(at: now) }
        let wall = max(heldUntil, walls.max() ?? .zero)
        guard wall > now, wall > route.searched else { return }
        for ticket in routes[name]?.line.removeAll(endingBy: wall) ?? [] { turns.refused[ticket.number] = wall }
        routes[name]?.searched = wall
    }

    /// A request is over, and its slot free.
    mutating func end(_ number: UInt64, at now: Duration) {
        guard let flight = flights.removeValue(forKey: number) else { return }
        routes[flight.route]?.underway.remove(flight.sequence)
        // All limits: its route may have lost or gained some since it was sent.
        for name in quotas.keys { quotas[name]?.lose(flight.sequence) }
        resting.append(now + bound.rest)
    }

    /// A request that had its turn was not sent after all.
    mutating func withdraw(_ number: UInt64) {
        guard let flight = flights.removeValue(forKey: number) else { return }
        routes[flight.route]?.underway.remove(flight.sequence)
        for name in quotas.keys { quotas[name]?.withdraw(flight.sequence) }
    }
}
