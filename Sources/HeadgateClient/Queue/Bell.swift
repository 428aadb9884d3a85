internal import Synchronization

/// Wakes one waiter; a ring that comes before the wait is not lost.
final class Bell: Sendable {
    private struct State {
        var hasRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Ends the wait, now or the next one.
    func ring() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            if state.waiter == nil { state.hasRung = true }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Waits for a ring, or until the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let hasRung = state.withLock { state in
                    if !state.hasRung { state.waiter = waiter }
                    defer { state.hasRung = false }
                    return state.hasRung
                }
                if hasRung { waiter.resume() }
            }
        } onCancel: {
            ring()
        }
    }

    /// Waits for a ring, but no longer than a time.
    func wait<C: Clock<Duration>>(atMost longest: Duration, by clock: C) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await clock.sleep(for: longest) }
            await group.next()
            group.cancelAll()
        }
    }
}
