/// What is told of a limiter's decisions: a counter of metrics, for instance.
public protocol DecisionObserver: Sendable {
    /// A limiter has judged a request, whatever it said; peeks are not told of.
    ///
    /// It is called before the caller has the decision, so it must return at once. Of a caller who waits it hears each attempt.
    func observe(_ decision: Decision)
}
