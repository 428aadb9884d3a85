public import Headgate

/// A pace that several processes keep to together.
public protocol SharedPace: Sendable {
    /// Waits until a request may be sent.
    ///
    /// - Returns: The turn, or when to ask again if none comes in time.
    /// - Throws: Any error when the pace cannot be asked; the request is then not sent.
    func turn(waitingAtMost longest: Duration) async throws -> PaceTurn
}

/// What a shared pace says to one request.
public enum PaceTurn: Sendable {
    /// It may be sent; the closure is called once it has ended, and must not block.
    case granted(whenEnded: @Sendable () -> Void)
    /// It would have to wait for longer than it may.
    case denied(retryAfter: Duration?)
}

/// A pace kept by Headgate's own limiter: over a `RedisStore` all processes that name the same identity and limits share it.
///
/// Make windows a little longer than the server's: a request is counted here before it is counted there, and two requests that are a
/// window apart here may be a few milliseconds less there. The time to live of a concurrency limit has to be longer than any call.
public struct LimiterPace: SharedPace {
    private let limiter: Limiter
    private let identity: Identity
    private let limits: [Limit]

    /// Creates a pace.
    ///
    /// - Parameters:
    ///   - limiter: What counts; it asks the store that the processes share.
    ///   - identity: Whose quota it is: a name for the API key, not the key itself.
    ///   - limits: The server's limits, concurrency among them.
    public init(_ limiter: Limiter, for identity: Identity, limits: [Limit]) {
        self.limiter = limiter
        self.identity = identity
        self.limits = limits
    }

    /// Charges the limits as soon as all have room.
    ///
    /// - Throws: ``LimiterError`` when the limits' failure policy refuses without the store, or the task is cancelled.
    public func turn(waitingAtMost longest: Duration) async throws -> PaceTurn {
        let decision = try await limiter.acquire(for: identity, limits: limits, waitingAtMost: longest)
        switch decision.outcome {
        case .allowed:
            return .granted { [limiter] in if let lease = decision.lease { limiter.abandon(lease) } }
        case .denied:
            return .denied(retryAfter: decision.retryAfter)
        case .unavailable:
            throw decision.degradation ?? LimiterError(.closed, "the shared pace cannot be asked")
        }
    }
}
