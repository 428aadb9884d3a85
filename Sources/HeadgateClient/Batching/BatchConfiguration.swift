/// How single calls are gathered.
public struct BatchConfiguration: Sendable, Hashable {
    /// A batch of so many is sent at once.
    public var mostItems = 20
    /// A batch is sent this long after its first item, however many there are.
    public var gathering: Duration = .milliseconds(5)
    /// Items that wait at once; one more is refused with ``ClientError/Code/queueFull``.
    public var mostWaiting = 10_000
    /// Batches that are under way at once.
    public var mostUnderway = 4

    /// Creates a configuration with the defaults.
    public init() {}
}
