internal import Synchronization

/// Where calls wait for their turn: the lanes in a shell of locks, clock and continuations.
///
/// Everything runs in the callers' tasks.
final class Gate: Sendable {
    private let lanes: Mutex<Lanes>
    private let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Duration

    init(_ lanes: Lanes, clock: any Clock<Duration>, elapsed: @escaping @Sendable () -> Duration) {
        self.lanes = Mutex(lanes)
        self.clock = clock
        self.elapsed = elapsed
    }

    var waiting: Int { lanes.withLock { $0.waiting } }
    func lane(of key: String) -> Lane? { lanes.withLock { $0.lane(of: key) } }
    func makeNumber() -> UInt64 { lanes.withLock { $0.makeNumber() } }

    /// Waits until a call may be sent; whoever gets a pass ends it.
    func pass(_ ticket: Ticket, key: String, route: String) async throws(ClientError) -> Pass {
        let bell = Bell()
        let start = elapsed()
        guard let place = lanes.withLock({ $0.enter(ticket, key, route, bell: bell, at: start) }) else {
            throw ClientError(.queueFull, "too many calls wait already")
        }
        turn(key)
        while true {
            switch lanes.withLock({ $0.fate(of: place) }) {
            case .granted:
                let now = elapsed()
                guard Task.isCancelled || ticket.deadline <= now else { return Pass(number: ticket.number, key: key, gate: self) }
                withdraw(ticket.number, key)
                throw late()
            case .refused(let until):
                throw ClientError(.rateLimited, "no limit has room for the request in time", retryAfter: until - elapsed())
            case .waits(let until):
                let now = elapsed()
                if Task.isCancelled || ticket.deadline <= now { throw giveUp(place) }
                await bell.wait(atMost: min(ticket.deadline, until ?? ticket.deadline) - now, by: clock)
                turn(key)
            }
        }
    }

    /// Leaves the line; a turn that had just come passes to the next.
    private func giveUp(_ place: Lanes.Place) -> ClientError {
        if lanes.withLock({ $0.leave(place) }) == .granted { withdraw(place.ticket.number, place.key) } else { turn(place.key) }
        return late()
    }

    private func late() -> ClientError {
        if Task.isCancelled { return ClientError(.cancelled, "the task was cancelled while its call waited to be sent") }
        return ClientError(.deadlineExceeded, "the call waited to be sent until its deadline")
    }

    /// Sleeps before a call is sent again; it counts among those that wait.
    func sleep(for time: Duration) async throws(ClientError) {
        lanes.withLock { $0.sleeping += 1 }
        defer { lanes.withLock { $0.sleeping -= 1 } }
        do { try await clock.sleep(for: time) } catch {
            throw ClientError(.cancelled, "the task was cancelled while its call waited to be sent again")
        }
    }

    private func turn(_ key: String) {
        let now = elapsed()
        ring(lanes.withLock { $0.dispatch(key, at: now) })
    }

    fileprivate func learn(_ reading: Reading, _ number: UInt64, _ key: String) {
        let now = elapsed()
        ring(lanes.withLock { $0.change(key, at: now) { $0.learn(reading, to: number, at: now) } })
    }

    fileprivate func end(_ number: UInt64, _ key: String) {
        let now = elapsed()
        ring(lanes.withLock { $0.change(key, at: now) { $0.end(number, at: now) } })
    }

    fileprivate func withdraw(_ number: UInt64, _ key: String) {
        let now = elapsed()
        ring(lanes.withLock { $0.change(key, at: now) { $0.withdraw(number) } })
    }

    private func ring(_ bells: [Bell]) {
        for bell in bells { bell.ring() }
    }
}

/// The right to have one request under way; given back by ``end()``, or by the end of its last reference.
final class Pass: Sendable {
    private let number: UInt64
    private let key: String
    private let gate: Gate
    private let hasEnded = Atomic(false)
    private let whenEnded = Mutex<[@Sendable () -> Void]>([])

    fileprivate init(number: UInt64, key: String, gate: Gate) {
        self.number = number
        self.key = key
        self.gate = gate
    }

    deinit { end() }

    /// Has something done at the end.
    func onEnd(_ body: @escaping @Sendable () -> Void) { whenEnded.withLock { $0.append(body) } }

    /// Tells what the request's answer said.
    func learn(_ reading: Reading) { gate.learn(reading, number, key) }

    /// The request is not sent after all; nothing is told to whoever waits for its end.
    func withdraw() {
        guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
        gate.withdraw(number, key)
    }

    /// The request is over, its answer read to the end or given up.
    func end() {
        guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
        for body in whenEnded.withLock({ $0 }) { body() }
        gate.end(number, key)
    }
}
