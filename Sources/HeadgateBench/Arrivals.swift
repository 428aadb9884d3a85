import Headgate
import NIOCore
import Synchronization

/// Begins requests at a steady rate, each by whichever caller is free (an open loop: slow answers slow nothing down).
final class Arrivals: Sendable {
    /// When a caller's next request begins.
    enum Turn: Sendable {
        /// Now: the caller was free in time.
        case now
        /// It should have begun then, and all callers were busy: the wait is part of its time.
        case since(NIODeadline)
        /// There is none.
        case over
    }

    private struct State {
        /// How many requests have begun.
        var begun = 0
        /// How many should have.
        var due = 0
        var isOver = false
        var free: [CheckedContinuation<Turn, Never>] = []
    }

    private let state = Mutex(State())
    private let loop: any EventLoop
    private let start: NIODeadline
    private let interval: Double

    /// Creates arrivals that begin at once, timed on an event loop.
    init(perSecond rate: Double, on loop: any EventLoop) {
        self.loop = loop
        start = .now()
        interval = 1_000_000_000 / rate
        loop.execute { self.tick() }
    }

    /// Waits for a request to begin.
    func next() async -> Turn {
        await withCheckedContinuation { continuation in
            let turn: Turn? = state.withLock { state in
                if state.isOver { return .over }
                guard state.begun < state.due else {
                    state.free.append(continuation)
                    return nil
                }
                state.begun += 1
                return .since(time(of: state.begun - 1))
            }
            if let turn { continuation.resume(returning: turn) }
        }
    }

    /// Begins no more requests.
    func end() {
        let free = state.withLock { state in
            state.isOver = true
            defer { state.free = [] }
            return state.free
        }
        for continuation in free { continuation.resume(returning: .over) }
    }

    private func time(of arrival: Int) -> NIODeadline { start + .nanoseconds(Int64(Double(arrival) * interval)) }

    /// Begins what is due, and comes back for the next.
    private func tick() {
        let due = Int(Double((NIODeadline.now() - start).nanoseconds) / interval) + 1
        let beginning: [CheckedContinuation<Turn, Never>]? = state.withLock { state in
            guard !state.isOver else { return nil }
            state.due = due
            let count = min(due - state.begun, state.free.count)
            state.begun += count
            defer { state.free.removeLast(count) }
            return Array(state.free.suffix(count))
        }
        guard let beginning else { return }
        for continuation in beginning { continuation.resume(returning: .now) }
        loop.scheduleTask(deadline: time(of: due)) { self.tick() }
    }
}
