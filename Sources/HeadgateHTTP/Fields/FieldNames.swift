public import HTTPTypes

// All field names of Headgate's answers, spelled as they are sent over HTTP/1.1; `Retry-After` is HTTPTypes' own.
// swift-format-ignore: NeverForceUnwrap
extension HTTPField.Name {
    // Each literal is a token (RFC 9110 5.6.2), so none of the initialisers returns nil.

    /// Units that can be available at once.
    public static let xRateLimitLimit = Self("X-RateLimit-Limit")!
    /// Units left after this request.
    public static let xRateLimitRemaining = Self("X-RateLimit-Remaining")!
    /// The epoch second at which more becomes available; on a 429 at which the request would fit.
    public static let xRateLimitReset = Self("X-RateLimit-Reset")!
    /// Whole seconds in which the limit comes back.
    public static let xRateLimitWindow = Self("X-RateLimit-Window")!

    /// The limits by themselves, a structured list (draft-ietf-httpapi-ratelimit-headers-11).
    public static let rateLimitPolicy = Self("RateLimit-Policy")!
    /// What is left of them, a structured list (draft-ietf-httpapi-ratelimit-headers-11).
    public static let rateLimit = Self("RateLimit")!

    /// Why the store gave no answer, a code in snake case, and by what policy; only on answers that were given without it.
    ///
    /// `connect;policy=open`, `deadline_exceeded;policy=local` or `dns;policy=closed`; a request that could not be judged at all has the
    /// reason alone. It is a structured item (RFC 9651): a token with the parameter `policy`.
    public static let headgateDegraded = Self("X-Headgate-Degraded")!
}
