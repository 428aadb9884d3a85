/// What is remembered of answers to GET requests.
public struct CacheConfiguration: Sendable, Hashable {
    /// Bytes of all answers together, bodies and header fields; 0 remembers nothing.
    public var mostBytes = 16 * 1_024 * 1_024
    /// An answer with a longer body is not remembered.
    public var longestBody = 1_024 * 1_024
    /// Answers that are remembered at once.
    public var mostAnswers = 1_024

    /// Creates a configuration with the defaults.
    public init() {}

    /// Remembers nothing, and joins nothing.
    public static let off: CacheConfiguration = {
        var configuration = CacheConfiguration()
        configuration.mostBytes = 0
        return configuration
    }()
}
