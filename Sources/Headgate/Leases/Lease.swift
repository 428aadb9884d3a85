/// A held concurrency slot, in each of the concurrency limits of one request.
///
/// It is a plain value that names its slots, so any instance can renew or release it.
public struct Lease: Sendable, Hashable {
    /// The holder's id: 128 random bits in hex.
    public let id: String

    /// Where it holds.
    public let slots: [Slot]

    /// One limit's slot.
    public struct Slot: Sendable, Hashable {
        /// Whose slots.
        public let identity: Identity
        /// The concurrency limit.
        public let limit: Limit

        /// Creates a slot.
        public init(identity: Identity, limit: Limit) {
            self.identity = identity
            self.limit = limit
        }
    }

    /// Creates a lease.
    public init(id: String, slots: [Slot]) {
        self.id = id
        self.slots = slots
    }

    /// The time after which the lease ends unless it is renewed: the shortest of its limits'.
    public var timeToLive: Duration {
        let shortest = slots.compactMap { slot in
            if case .concurrency(let concurrency) = slot.limit.algorithm { concurrency.timeToLive } else { nil }
        }
        return .microseconds(shortest.min() ?? 0)
    }

    /// A fresh id of 128 random bits.
    package static func makeID() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
