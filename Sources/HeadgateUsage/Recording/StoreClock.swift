internal import Headgate
internal import Synchronization

/// The store's time as far as this process has seen it: for decisions that carry none.
struct StoreClock: ~Copyable, Sendable {
    /// The time since the clock was made, by the process' monotonic clock.
    let elapsed: @Sendable () -> Duration
    /// The store's microseconds at the clock's beginning; `unseen` before the first decision with a time.
    private let origin = Atomic(unseen)

    private static let unseen = Int64.min

    init<C: Clock<Duration>>(_ clock: C) {
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
    }

    /// The time to count a decision under: its own, or what the store's would be about now.
    func time(of decision: Decision) -> StoreTime {
        if let time = decision.time {
            origin.store(time.microseconds - elapsed().wholeMicroseconds, ordering: .relaxed)
            return time
        }
        let origin = origin.load(ordering: .relaxed)
        return origin == StoreClock.unseen ? .now : StoreTime(microseconds: origin) + elapsed()
    }
}
