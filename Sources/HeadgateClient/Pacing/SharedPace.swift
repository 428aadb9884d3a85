public import Headgate

/// A pace that several processes keep to together.
public protocol SharedPace: Sendable {
    /// Waits until a request may be sent.
    ///
    /// It has to end soon after its task was cancelled, as it is at the call's deadline; a turn that it takes all the same is given back.
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

/// A pace kept by Headgate's own limiter: over a `RedisStore` all processes that give it the same name and limits share it.
///
/// It may share its Redis with a server, even with the one that is called: a pace counts on identities of a kind of their own
/// (`Identity.Kind.pace`), so its name never means an account, a key or an address of that server.
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
    ///   - name: Whose quota it is: a name for the API key, not the key itself.
    ///   - limits: The server's limits, concurrency among them.
    /// - Throws: ``LimiterError/Code/badRequest`` when the name is empty or holds a NUL.
    public init(_ limiter: Limiter, named name: String, limits: [Limit]) throws(LimiterError) {
        self.limiter = limiter
        identity = try Identity(.pace, name)
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
