/// A decimal number as it was written, kept without rounding: `digits / 10^decimals`.
struct ExactDecimal: Sendable, Hashable {
    let digits: Int64
    let decimals: Int

    /// The longest fraction; above, 10^decimals would leave 128 bits.
    static let mostDecimals = 30

    init?(digits: Int64, decimals: Int) {
        var digits = digits
        var decimals = decimals
        while decimals > 0, digits % 10 == 0 {
            digits /= 10
            decimals -= 1
        }
        guard digits >= 0, decimals <= Self.mostDecimals else { return nil }
        self.digits = digits
        self.decimals = decimals
    }

    init(whole: UInt32) {
        digits = Int64(whole)
        decimals = 0
    }

    /// Reads digits with at most one dot between them; nil for anything else.
    init?(text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !parts.contains(where: \.isEmpty) else { return nil }
        var digits: Int64 = 0
        for byte in parts.joined() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), digits < 100_000_000_000_000 else { return nil }
            digits = digits * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        self.init(digits: digits, decimals: parts.count == 2 ? parts[1].count : 0)
    }

    /// The exact product; nil when it has too many digits.
    func times(_ other: ExactDecimal) -> ExactDecimal? {
        let (product, overflow) = digits.multipliedReportingOverflow(by: other.digits)
        return overflow ? nil : ExactDecimal(digits: product, decimals: decimals + other.decimals)
    }

    /// Whether one is smaller, whatever their fractions' lengths: both are below 2^63 and have at most 30 decimals.
    static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        let decimals = max(left.decimals, right.decimals)
        return left.widened(to: decimals) < right.widened(to: decimals)
    }

    /// The digits with so many decimals, as a text that compares as the number does.
    private func widened(to decimals: Int) -> (Int, String) {
        let text = digits == 0 ? "" : String(digits) + String(repeating: "0", count: decimals - self.decimals)
        return (text.count, text)
    }

    /// The whole part of the product with a number of units; nil beyond 64 bits.
    func scale(_ units: Int64) -> Int64? {
        var divisor: Int128 = 1
        for _ in 0..<decimals { divisor *= 10 }
        return Int64(exactly: Int128(units) * Int128(digits) / divisor)
    }

    /// The number in digits, with a dot where there is a fraction.
    var text: String {
        guard decimals > 0 else { return String(digits) }
        var text = String(digits)
        if text.count <= decimals { text = String(repeating: "0", count: decimals + 1 - text.count) + text }
        return "\(text.dropLast(decimals)).\(text.suffix(decimals))"
    }
}
