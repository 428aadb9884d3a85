internal import Synchronization

/// A clock that stands still until it is told to go on, so that tests of waiting need not wait.
///
/// ```swift
/// let clock = ManualClock()
/// async let sleeper: Void = clock.sleep(for: .seconds(60))
/// try await clock.waitForSleepers(1)
/// clock.advance(by: .seconds(60))
/// try await sleeper
/// ```
public final class ManualClock: Clock, Sendable {
    /// A time after the clock's start.
    public struct Instant: InstantProtocol {
        /// The time since the clock's start.
        public let sinceStart: Duration

        /// Creates an instant.
        public init(sinceStart: Duration) { self.sinceStart = sinceStart }

        /// The instant after a time has passed.
        public func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }

        /// The time from this instant to another.
        public func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }

        /// Orders by time.
        public static func < (left: Instant, right: Instant) -> Bool { left.sinceStart < right.sinceStart }
    }

    private typealias Waiter = CheckedContinuation<Void, any Error>

    private struct State {
        var now: Duration = .zero
        var nextID = 0
        var sleepers: [Int: (until: Duration, waiter: Waiter)] = [:]
        var observers: [Int: (count: Int, waiter: Waiter)] = [:]
        /// Waits that were cancelled before they were registered.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// Creates a clock at its start.
    public init() {}

    /// The time that it was told.
    public var now: Instant { Instant(sinceStart: state.withLock { $0.now }) }

    /// The smallest step: none.
    public var minimumResolution: Duration { .zero }

    /// How many tasks sleep now.
    public var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Moves the time on and wakes those whose time has come, the earliest first.
    public func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.sorted { ($0.value.until, $0.key) < ($1.value.until, $1.key) }.map(\.value.waiter)
        }
        for waiter in woken { waiter.resume() }
    }

    /// Sleeps until the clock was moved to the deadline.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        try await wait { id, waiter, state in
            guard deadline.sinceStart > state.now else { return [waiter] }
            state.sleepers[id] = (deadline.sinceStart, waiter)
            let satisfied = state.observers.filter { $0.value.count <= state.sleepers.count }
            for id in satisfied.keys { state.observers[id] = nil }
            return satisfied.map(\.value.waiter)
        }
    }

    /// Waits until at least so many tasks sleep.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func waitForSleepers(_ count: Int) async throws {
        try await wait { id, waiter, state in
            guard state.sleepers.count < count else { return [waiter] }
            state.observers[id] = (count, waiter)
            return []
        }
    }

    /// Registers a continuation, which `register` may resume at once together with others that it returns.
    private func wait(_ register: (Int, Waiter, inout State) -> [Waiter]) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let ready: [Waiter]? = state.withLock { state in
                    guard state.cancelled.remove(id) == nil else { return nil }
                    return register(id, waiter, &state)
                }
                guard let ready else { return waiter.resume(throwing: CancellationError()) }
                for other in ready { other.resume() }
            }
        } onCancel: {
            cancel(id)
        }
        state.withLock { _ = $0.cancelled.remove(id) }
    }

    private func cancel(_ id: Int) {
        let waiter = state.withLock { state -> Waiter? in
            if let waiter = state.sleepers.removeValue(forKey: id)?.waiter ?? state.observers.removeValue(forKey: id)?.waiter {
                return waiter
            }
            state.cancelled.insert(id)
            return nil
        }
        waiter?.resume(throwing: CancellationError())
    }
}
