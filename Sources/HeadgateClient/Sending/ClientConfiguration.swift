public import AsyncHTTPClient

/// How a ``PoliteClient`` calls; every default is made for an API that is not known.
public struct ClientConfiguration: Sendable {
    /// How requests are spread over what the server allows.
    public var pacing = PacingConfiguration()
    /// How many calls may wait.
    public var queue = QueueConfiguration()
    /// How often and when a call is sent again.
    public var retries = RetryPolicy()
    /// What is remembered of answers.
    public var cache = CacheConfiguration()

    /// Which requests count against the same limits, and may be answered from the same memory: their API key, as a rule.
    ///
    /// The text is kept in memory, so it should not be the key itself. Unless set: scheme, host and port, with the SHA-256 of the credentials in `Authorization`, `X-API-Key` or `Api-Key`.
    public var key: @Sendable (HTTPClientRequest) -> String = { RequestIdentity.key(of: $0) }
    /// Which of a key's requests are assumed to fall under the same limits.
    ///
    /// Unless set: the method and the path, without the query and with segments that look like ids replaced.
    public var route: @Sendable (HTTPClientRequest) -> String = { RequestIdentity.route(of: $0) }

    /// Creates a configuration with the defaults.
    public init() {}
}
