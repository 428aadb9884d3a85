/// How many calls may wait.
public struct QueueConfiguration: Sendable, Hashable {
    /// Calls that wait at once, of all keys; one more is refused at once with ``ClientError/Code/queueFull``.
    public var mostWaiting = 10_000
    /// API keys whose limits are known at once; the one that was used the longest time ago is forgotten.
    public var mostKeys = 1_024
    /// So many calls in a row go before less urgent ones that could have gone; then one of these does, so that none waits for ever.
    ///
    /// With `Int.max` less urgent calls go only when no other can.
    public var mostOvertaking = 8

    /// Creates a configuration with the defaults.
    public init() {}
}
