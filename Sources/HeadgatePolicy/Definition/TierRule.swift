public import Headgate

/// A plan: what its accounts may use.
public struct TierRule: Sendable, Hashable {
    /// The tier's name.
    public var name: String

    /// Other names for the same tier.
    public var aliases: [String]

    /// What every endpoint limit is multiplied with.
    public var endpointMultiplier: Multiplier

    /// The rate of each class, by class id.
    public var limits: [String: Rate]

    /// The order in which the classes are shown to customers; those that are not in it follow in the policy's.
    public var order: [String]

    /// How many requests may run at the same time, over all classes.
    public var concurrency: ConcurrencyRule

    /// Creates a tier.
    public init(
        _ name: String,
        aliases: [String] = [],
        endpointMultiplier: Multiplier = 1,
        limits: [String: Rate],
        order: [String] = [],
        concurrency: ConcurrencyRule = .none
    ) {
        self.name = name
        self.aliases = aliases
        self.endpointMultiplier = endpointMultiplier
        self.limits = limits
        self.order = order
        self.concurrency = concurrency
    }
}

/// How many requests of an account may run at the same time.
public enum ConcurrencyRule: Sendable, Hashable {
    /// The tier says nothing of it: it is neither limited nor reported.
    case none
    /// A number of slots.
    case slots(Slots)
    /// The account brings its own number.
    case custom(Slots.Terms = Slots.Terms())
    /// It is not limited, and reported so.
    case unlimited

    /// A number of slots and how they are held.
    public struct Slots: Sendable, Hashable {
        /// How many.
        public var count: Int64
        /// How they are held.
        public var terms: Terms

        /// Creates slots.
        public init(_ count: Int64, terms: Terms = Terms()) {
            self.count = count
            self.terms = terms
        }

        /// How slots are held.
        public struct Terms: Sendable, Hashable {
            /// The time after which a slot comes back whose holder does not renew it.
            public var lease: Duration
            /// What happens without Redis; `nil` takes the policy's.
            public var onRedisFailure: FailurePolicy?
            /// Whether it can deny.
            public var mode: Limit.Mode

            /// Creates terms.
            public init(lease: Duration = .seconds(30), onRedisFailure: FailurePolicy? = nil, mode: Limit.Mode = .enforced) {
                self.lease = lease
                self.onRedisFailure = onRedisFailure
                self.mode = mode
            }
        }
    }

    /// The id of every concurrency limit.
    public static let limitID = "concurrency"

    /// The name that customers know it by.
    public static let publicName = "concurrent_requests"
}
