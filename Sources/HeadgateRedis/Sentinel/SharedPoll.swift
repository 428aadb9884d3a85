internal import NIOCore
internal import Synchronization

/// A poll whose answers come on any thread, and the promise that it keeps once.
final class SharedPoll: Sendable {
    private let state: Mutex<(poll: MasterPoll, promise: EventLoopPromise<RedisEndpoint>?)>

    init(_ poll: MasterPoll, _ promise: EventLoopPromise<RedisEndpoint>) {
        state = Mutex((poll, promise))
    }

    /// Notes an answer.
    func heard(_ answer: MasterPoll.Answer) {
        let decided = state.withLock { state -> (EventLoopPromise<RedisEndpoint>, Result<RedisEndpoint, any Error>)? in
            guard let result = state.poll.heard(answer), let promise = state.promise else { return nil }
            state.promise = nil
            return (promise, result.mapError { $0 })
        }
        if let (promise, result) = decided { promise.completeWith(result) }
    }
}
