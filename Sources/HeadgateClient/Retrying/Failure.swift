/// How an attempt went that brought no answer to hand on.
enum Failure: Sendable, Hashable {
    /// A limit denied it; the server names a time or does not.
    case limited(retryAfter: Duration?)
    /// The server cannot serve now.
    case unavailable(retryAfter: Duration?)
    /// No connection could be made, or it broke: the server may have processed the request, or the one that led it here.
    case broken
    /// It is wrong in itself: an address without a host, say.
    case invalid
}

/// What may be sent again of a call.
struct Replay: Sendable, Hashable {
    /// Whether sending it twice does what sending it once does.
    var isIdempotent: Bool
    /// Whether its body can be sent again.
    var isRepeatable: Bool
}

/// What becomes of a call after an attempt that failed.
enum Verdict: Sendable, Hashable {
    /// It is sent again, not before this time has passed.
    case again(after: Duration)
    /// It ends, for this reason.
    case end(End)

    enum End: Sendable, Hashable {
        /// So many attempts were enough.
        case attempts
        /// The next one could not end by the deadline.
        case deadline
        /// It must not be sent twice.
        case unrepeatable
        /// It would fail again.
        case invalid
    }
}

extension RetryPolicy {
    /// Decides on a call after an attempt.
    ///
    /// The server's time counts first. A time that has passed is none: such a server is not asked again at once.
    func verdict(_ failure: Failure, after attempts: Int, _ replay: Replay, left: Duration, random: Double) -> Verdict {
        let wait: Duration
        switch failure {
        case .invalid:
            return .end(.invalid)
        case .broken where !replay.isIdempotent:
            return .end(.unrepeatable)
        case .broken:
            wait = backoff(after: attempts, random: random)
        case .limited(let time), .unavailable(let time):
            wait = time.flatMap { $0 > .zero ? spread($0, random: random) : nil } ?? backoff(after: attempts, random: random)
        }
        guard replay.isRepeatable else { return .end(.unrepeatable) }
        guard attempts < self.attempts else { return .end(.attempts) }
        return wait < left ? .again(after: wait) : .end(.deadline)
    }
}
