/// Reading of single values as servers write them.
enum FieldText {
    /// The longest time that is believed; what is longer counts as this long.
    static let longestTime: Duration = .seconds(366 * 86_400)

    /// A number of zero or more, blanks around it allowed and a fraction dropped; nil for anything else.
    static func count(_ text: some StringProtocol) -> Int64? {
        guard let value = number(text), value >= 0, value < 9e15 else { return nil }
        return Int64(value)
    }

    /// A decimal number without exponent.
    static func number(_ text: some StringProtocol) -> Double? {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        var digits = String(trimmed)
        while let last = digits.last, last == " " || last == "\t" { digits.removeLast() }
        guard !digits.isEmpty, digits.utf8.count <= 40, digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 || $0 == 45 }) else {
            return nil
        }
        return Double(digits)
    }

    /// So many seconds, bounded; nil when they are below zero.
    static func seconds(_ value: Double) -> Duration? {
        guard value >= 0 else { return nil }
        return value >= 366 * 86_400 ? longestTime : .microseconds(Int64(value * 1_000_000))
    }

    /// A duration such as `12ms`, `6m0s` or `1h2m3.5s`, or a number of seconds; nil for anything else.
    static func duration(_ text: some StringProtocol) -> Duration? {
        if let value = number(text) { return seconds(value) }
        var total = 0.0
        var rest = text.drop { $0 == " " }
        guard !rest.isEmpty, text.utf8.count <= 64 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let value = number(digits), let scale = scale(of: unit) else { return nil }
            total += value * scale
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return seconds(total)
    }

    private static func scale(of unit: some StringProtocol) -> Double? {
        switch unit {
        case "ns": 1e-9
        case "us", "µs": 1e-6
        case "ms": 1e-3
        case "s": 1
        case "m": 60
        case "h": 3_600
        case "d": 86_400
        default: nil
        }
    }

    /// The window that a field's ending names, as in Kong's `X-RateLimit-Limit-Minute`.
    static func window(named name: String) -> Duration? {
        switch name {
        case "second": .seconds(1)
        case "minute": .seconds(60)
        case "hour": .seconds(3_600)
        case "day": .seconds(86_400)
        case "month": .seconds(30 * 86_400)
        case "year": .seconds(365 * 86_400)
        default: nil
        }
    }
}
