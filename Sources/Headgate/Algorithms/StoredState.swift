/// What is stored for one subject and limit, of any algorithm.
package enum StoredState: Sendable, Hashable {
    case log(SlidingWindowLog.State)
    case bucket(TokenBucket.State)
    case window(FixedWindow.State)
    case counter(SlidingWindowCounter.State)
    case concurrency(Concurrency.State)
}

extension Algorithm {
    /// The numbers as something that counts.
    package var counting: any CountingAlgorithm {
        switch self {
        case .slidingWindowLog(let log): log
        case .tokenBucket(let bucket): bucket
        case .fixedWindow(let window): window
        case .slidingWindowCounter(let counter): counter
        case .concurrency(let concurrency): concurrency
        }
    }
}

extension SlidingWindowLog {
    package static func wrap(_ state: State) -> StoredState { .log(state) }
    package static func unwrap(_ state: StoredState) -> State? { if case .log(let state) = state { state } else { nil } }
}

extension TokenBucket {
    package static func wrap(_ state: State) -> StoredState { .bucket(state) }
    package static func unwrap(_ state: StoredState) -> State? { if case .bucket(let state) = state { state } else { nil } }
}

extension FixedWindow {
    package static func wrap(_ state: State) -> StoredState { .window(state) }
    package static func unwrap(_ state: StoredState) -> State? { if case .window(let state) = state { state } else { nil } }
}

extension SlidingWindowCounter {
    package static func wrap(_ state: State) -> StoredState { .counter(state) }
    package static func unwrap(_ state: StoredState) -> State? { if case .counter(let state) = state { state } else { nil } }
}

extension Concurrency {
    package static func wrap(_ state: State) -> StoredState { .concurrency(state) }
    package static func unwrap(_ state: StoredState) -> State? { if case .concurrency(let state) = state { state } else { nil } }
}
