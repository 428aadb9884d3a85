/// An algorithm with its numbers, under the name by which its counts are kept.
///
/// Counts belong to a subject and a limit's id: two limits of one subject with the same id and algorithm share their count,
/// whatever their numbers, so that a change of plan keeps what was used. What has left a limit's window is forgotten: limits that
/// count by turns on one id need the same window.
public struct Limit: Sendable, Hashable {
    /// The name of the rule that the limit comes from; part of its key.
    public let id: String

    /// How it counts.
    public var algorithm: Algorithm

    /// What happens when the store gives no answer.
    public var onRedisFailure: FailurePolicy

    /// Whether it can deny.
    public var mode: Mode

    /// Whether a limit can deny.
    public enum Mode: String, Sendable, Hashable, Codable {
        /// It denies.
        case enforced
        /// It judges and counts like any other, and never denies.
        case shadow
    }

    /// The longest id, in bytes.
    public static let longestID = 128

    /// Creates a limit.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit`` when the id is not 1 to 128 of the printable ASCII characters other than
    ///   blank, `:`, `{` and `}`, which have a meaning in keys.
    public init(
        _ id: String,
        _ algorithm: Algorithm,
        onRedisFailure: FailurePolicy = .open,
        mode: Mode = .enforced
    ) throws(LimiterError) {
        guard (1...Limit.longestID).contains(id.utf8.count), id.utf8.allSatisfy(Limit.isAllowed) else {
            throw LimiterError(
                .invalidLimit,
                "a limit's id is 1 to \(Limit.longestID) printable ASCII characters without blank, ':', '{' and '}'"
            )
        }
        self.id = id
        self.algorithm = algorithm
        self.onRedisFailure = onRedisFailure
        self.mode = mode
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: "{"), UInt8(ascii: "}"): false
        case 0x21...0x7E: true
        default: false
        }
    }
}
