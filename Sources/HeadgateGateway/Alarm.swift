import NIOCore

/// The one wake-up call that a channel handler has scheduled.
///
/// Deadlines mostly move away: it wakes at the earlier time, and its owner sets it again.
struct Alarm {
    private var call: (time: NIODeadline, task: Scheduled<Void>)?

    /// Sees to it that the call comes at the deadline, or before it.
    mutating func set(_ deadline: NIODeadline?, on loop: any EventLoop, _ wake: @escaping () -> Void) {
        guard let deadline, call.map({ $0.time > deadline }) ?? true else { return }
        call?.task.cancel()
        call = (deadline, loop.assumeIsolated().scheduleTask(deadline: deadline, wake))
    }

    /// Forgets the call, because it has come or is not wanted any more.
    mutating func clear() {
        call?.task.cancel()
        call = nil
    }
}
