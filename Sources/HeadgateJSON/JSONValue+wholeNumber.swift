extension JSONValue {
    /// The number, when it is whole and has 64 bits: `3`, `3.0` and `30e-1` are the same one.
    package var wholeNumber: Int64? {
        switch self {
        case .integer(let number): number
        case .number(let text): Int64(wholeNumber: text)
        default: nil
        }
    }
}

extension Int64 {
    /// Reads a number of JSON; nil when it has a fraction or does not fit.
    fileprivate init?(wholeNumber text: String) {
        let parts = text.split(maxSplits: 1) { $0 == "e" || $0 == "E" }
        let mantissa = parts[0].split(separator: ".", maxSplits: 1)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        // No body holds more zeros than this.
        guard let exponent = parts.count > 1 ? Int(parts[1]) : 0, (-100_000...100_000).contains(exponent) else { return nil }
        var digits = String(mantissa[0] + fraction)
        var zeros = exponent - fraction.count
        guard digits.contains(where: { ("1"..."9").contains($0) }) else {
            self = 0
            return
        }
        while zeros < 0, digits.last == "0" {
            digits.removeLast()
            zeros += 1
        }
        guard (0...18).contains(zeros), let number = Int64(digits + String(repeating: "0", count: zeros)) else { return nil }
        self = number
    }
}
