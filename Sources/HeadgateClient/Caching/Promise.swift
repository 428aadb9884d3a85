internal import Synchronization

/// A value that one task makes and others wait for; the first outcome counts.
final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var outcome: Result<Value, ClientError>?
        var waiters: [UInt64: CheckedContinuation<Result<Value, ClientError>, Never>] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Gives it its outcome; a second one is dropped.
    func settle(_ outcome: Result<Value, ClientError>) {
        let waiters = state.withLock { state in
            guard state.outcome == nil else { return [CheckedContinuation<Result<Value, ClientError>, Never>]() }
            state.outcome = outcome
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    /// The value, when it is there.
    ///
    /// - Throws: What it was settled with, or ``ClientError/Code/cancelled``.
    func value() async throws(ClientError) -> Value {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Result<Value, ClientError>? = state.withLock { state in
                    if let outcome = state.outcome { return outcome }
                    if Task.isCancelled { return .failure(Promise.cancelled) }
                    state.waiters[id] = continuation
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: .failure(Promise.cancelled))
        }
        return try outcome.get()
    }

    private static var cancelled: ClientError { ClientError(.cancelled, "the task was cancelled while it waited for an answer") }
}
