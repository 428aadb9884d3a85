/// What an answer says of one limit.
public struct QuotaReading: Sendable, Hashable {
    /// By what the limit is told from others of the same key.
    public var name: String
    /// What is counted.
    public var unit: Unit
    /// Units that the limit allows in its window; nil when the answer does not say.
    public var limit: Int64?
    /// Units that are left.
    public var remaining: Int64
    /// The time until more is there, from the answer on; nil when the answer does not say.
    public var reset: Duration?
    /// The length of the window; nil when the answer does not say.
    public var window: Duration?

    /// What a limit counts.
    public enum Unit: Sendable, Hashable {
        /// Requests.
        case requests
        /// Requests that are under way at once.
        case concurrency
        /// Something that a request takes any number of: tokens, bytes.
        case other
    }

    /// Creates a reading.
    public init(
        name: String,
        unit: Unit = .requests,
        limit: Int64? = nil,
        remaining: Int64,
        reset: Duration? = nil,
        window: Duration? = nil
    ) {
        self.name = name
        self.unit = unit
        self.limit = limit
        self.remaining = remaining
        self.reset = reset
        self.window = window
    }
}
