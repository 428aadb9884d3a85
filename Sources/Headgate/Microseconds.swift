extension Duration {
    /// A duration of whole microseconds.
    package init(microseconds: Int64) {
        self = .microseconds(microseconds)
    }

    /// The whole microseconds of this duration, rounded down; saturated at the ends of `Int64`.
    package var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }
}

/// An instant of the store's clock: microseconds since the Unix epoch.
///
/// With Redis this is Redis' `TIME`, taken once in the script that decided; the host's clock plays no part.
public struct StoreTime: Sendable, Hashable, Comparable, Codable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public let microseconds: Int64

    /// Creates an instant.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Orders by time.
    public static func < (left: StoreTime, right: StoreTime) -> Bool { left.microseconds < right.microseconds }

    /// The instant after a time has passed.
    public static func + (time: StoreTime, duration: Duration) -> StoreTime {
        StoreTime(microseconds: time.microseconds + duration.wholeMicroseconds)
    }

    /// The epoch second at or after this instant: a reset rounded up never sends a client back too early.
    public var epochSecondsRoundedUp: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder > 0 ? quotient + 1 : quotient
    }
}
