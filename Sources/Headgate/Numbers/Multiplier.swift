/// A factor for limits, exact as it was written: 1.1 times 10 is 11, not 10.999.
public struct Multiplier: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    let value: ExactDecimal

    /// The largest factor.
    public static let largest: Int64 = 1_000_000

    /// Reads a number such as `5` or `0.25`.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit`` when the text is no decimal number above 0 and up to 1,000,000.
    public init(_ text: String) throws(LimiterError) {
        guard let value = ExactDecimal(text: text), value.digits > 0, value.scale(1).map({ $0 <= Self.largest }) == true else {
            throw LimiterError(.invalidLimit, "expected a number above 0 and up to \(Self.largest) such as 5 or 0.25, found '\(text)'")
        }
        self.value = value
    }

    /// Creates a whole factor.
    public init(integerLiteral whole: UInt32) { value = ExactDecimal(whole: whole) }

    private init(value: ExactDecimal) { self.value = value }

    /// The exact product; `nil` when it has too many digits.
    public func times(_ other: Multiplier) -> Multiplier? {
        value.times(other.value).map(Multiplier.init(value:))
    }

    /// So many units, multiplied and rounded down; `nil` beyond 64 bits.
    public func scale(_ units: Int64) -> Int64? { value.scale(units) }

    /// Orders by size.
    public static func < (left: Multiplier, right: Multiplier) -> Bool { left.value < right.value }

    /// The number as one writes it.
    public var description: String { value.text }
}

/// A share of something, exact as it was written.
public struct Percentage: Sendable, Hashable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    private let percent: ExactDecimal

    /// Reads a share such as `20%` or `2.5%`.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit`` when the text is not a number from 0 to below 100 with a percent sign.
    public init(_ text: String) throws(LimiterError) {
        guard text.hasSuffix("%"), let percent = ExactDecimal(text: text.dropLast()), percent.scale(1).map({ $0 < 100 }) == true else {
            throw LimiterError(.invalidLimit, "expected a percentage from 0% to below 100% such as 20%, found '\(text)'")
        }
        self.percent = percent
    }

    /// Creates a share of whole percents.
    public init(integerLiteral whole: UInt32) {
        precondition(whole < 100, "a share that leaves nothing")
        percent = ExactDecimal(whole: whole)
    }

    /// This share of so many units, rounded down.
    public func of(_ units: Int64) -> Int64 {
        // Below 100 %, so never more than the units themselves.
        percent.digits == 0 ? 0 : ExactDecimal(digits: percent.digits, decimals: percent.decimals + 2)?.scale(units) ?? 0
    }

    /// The share as one writes it.
    public var description: String { "\(percent.text)%" }
}
