internal import Headgate
internal import Synchronization

/// Where callers leave their calls for a lane's event loop.
final class Inbox: Sendable {
    /// What became of a call that was left here.
    enum Receipt {
        /// It is the first: the event loop has to be woken.
        case wake
        /// The event loop is on its way.
        case queued
        /// It was not taken.
        case refused(LimiterError)
    }

    private struct Content {
        var attempts: [Attempt] = []
        var refusal: LimiterError?
    }

    private let content = Mutex(Content())
    private let up = Atomic<Bool>(false)

    /// Whether the lane's connection stands and takes calls.
    var isUp: Bool {
        get { up.load(ordering: .sequentiallyConsistent) }
        set { up.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Leaves a call.
    func put(_ attempt: Attempt) -> Receipt {
        content.withLock { content in
            if let refusal = content.refusal { return .refused(refusal) }
            content.attempts.append(attempt)
            return content.attempts.count == 1 ? .wake : .queued
        }
    }

    /// Takes all calls, in exchange for an empty array whose memory is used on.
    func take(_ attempts: inout [Attempt]) {
        content.withLock { swap(&$0.attempts, &attempts) }
    }

    /// Refuses calls from now on with an error, or takes them again.
    func refuse(_ error: LimiterError?) {
        content.withLock { $0.refusal = error }
    }
}
