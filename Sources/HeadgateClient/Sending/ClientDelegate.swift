/// What is told of each attempt to make a call.
///
/// Its methods are called in the callers' tasks and must return at once.
public protocol ClientDelegate: Sendable {
    /// A request is about to be sent.
    func willSend(_ attempt: Attempt)
    /// A request was answered, or failed.
    func didEnd(_ attempt: Attempt, _ outcome: Attempt.Outcome)
    /// A call is going to be sent again after a time.
    func willWait(_ attempt: Attempt, for time: Duration)
}

extension ClientDelegate {
    /// Does nothing.
    public func willSend(_ attempt: Attempt) {}
    /// Does nothing.
    public func didEnd(_ attempt: Attempt, _ outcome: Attempt.Outcome) {}
    /// Does nothing.
    public func willWait(_ attempt: Attempt, for time: Duration) {}
}

/// One attempt to make a call.
public struct Attempt: Sendable, Hashable {
    /// 1 is the first.
    public var number: Int
    /// The request's method.
    public var method: String
    /// The route that its limits are known by.
    public var route: String
    /// How urgent the call is.
    public var priority: CallPriority
    /// The time since the call came or the attempt before ended, spent on waiting for a turn.
    public var waited: Duration

    /// How an attempt ended.
    public enum Outcome: Sendable {
        /// The head of an answer came: its status, what it says of limits, and how long to wait.
        case answered(status: Int, quotas: [QuotaReading], retryAfter: Duration?)
        /// No answer came.
        case failed(any Error)
    }
}

/// A delegate that is told and does nothing.
public struct NoDelegate: ClientDelegate {
    /// Creates it.
    public init() {}
}
