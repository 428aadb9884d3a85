/// How requests are spread over what the server allows.
public struct PacingConfiguration: Sendable {
    /// The share of a limit that is sent as fast as it is wanted; what remains is spread over the time until more is there.
    ///
    /// 0 spreads from the first request on, 1 runs into the wall.
    public var burst = 0.5
    /// How many requests of a key are under way at once.
    public var concurrency: Concurrency = .learnt(atMost: 64)
    /// How many requests of a key are sent in a time at most.
    public var dispatchRate: DispatchRate = .unlimited
    /// Who else keeps to this pace.
    public var sharing: Sharing = .process
    /// A server that asks for a longer peace for all requests of a key is asked again after this time.
    public var longestHold: Duration = .seconds(3_600)

    /// Creates a configuration with the defaults.
    public init() {}

    /// How many requests may be under way at once.
    public enum Concurrency: Sendable, Hashable {
        /// So many.
        case atMost(Int)
        /// Begins with one, and goes up until the server objects.
        case learnt(atMost: Int)
    }

    /// Who keeps to a pace together.
    public enum Sharing: Sendable {
        /// This process alone: the pace follows what answers say.
        case process
        /// All processes that ask the same pace; answers then only hold requests back, after a 429 for instance.
        case shared(any SharedPace)
    }
}
