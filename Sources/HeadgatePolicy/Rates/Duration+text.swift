package import Headgate

extension Duration {
    /// Reads a time such as `250ms`, `1s`, `15m`, `1h`, `5d`, `2w`, `15 minutes` or `1 hour`.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit`` when the text is no such time.
    package init(readable text: String) throws(LimiterError) {
        guard let duration = Duration(readable: text[...], bareUnit: nil) else {
            throw LimiterError(
                .invalidLimit,
                "expected a time with its unit such as 250ms, 30s, 15m, 1h, 5d or '15 minutes', found '\(text)'"
            )
        }
        self = duration
    }

    /// Reads a time, or nil; a unit without a number counts as `bareUnit` many, when that is given.
    init?(readable text: Substring, bareUnit: Int64?) {
        let text = text.drop { $0 == " " }
        let number = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let count = number.isEmpty ? bareUnit : Int64(number), let microseconds = Self.unitMicroseconds(unit) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: microseconds)
        guard !overflow else { return nil }
        self = .microseconds(product)
    }

    private static func unitMicroseconds(_ unit: Substring) -> Int64? {
        switch unit {
        case "ms", "millisecond", "milliseconds": 1_000
        case "s", "second", "seconds": 1_000_000
        case "m", "minute", "minutes": 60_000_000
        case "h", "hour", "hours": 3_600_000_000
        case "d", "day", "days": 86_400_000_000
        case "w", "week", "weeks": 604_800_000_000
        default: nil
        }
    }

    /// The time in the largest unit that it is a whole number of: `1h`, `90s`, `5d`.
    package var readable: String {
        let microseconds = components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
        let units: [(name: String, length: Int64)] = [
            ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000),
        ]
        for unit in units where microseconds != 0 && microseconds % unit.length == 0 {
            return "\(microseconds / unit.length)\(unit.name)"
        }
        return microseconds == 0 ? "0s" : "\(microseconds)us"
    }
}
