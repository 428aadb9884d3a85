/// How many calls may wait.
public struct QueueConfiguration: Sendable, Hashable {
    /// Calls that wait at once, of all keys; one more is refused at once with ``ClientError/Code/queueFull``.
    public var mostWaiting = 10_000
    /// API keys whose limits are known at once; the one that was used the longest time ago is forgotten.
    public var mostKeys = 1_024

    /// Creates a configuration with the defaults.
    public init() {}
}
