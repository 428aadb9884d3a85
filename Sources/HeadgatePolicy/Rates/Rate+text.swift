public import Headgate

extension Rate: CustomStringConvertible {
    /// Reads `100/hour`, `5/day`, `20 per 15 minutes`, `10/second burst 50`, `unlimited`, `custom` or `0`.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit`` when the text is none of these.
    public init(_ text: String) throws(LimiterError) {
        switch text {
        case "unlimited": self = .unlimited
        case "custom": self = .custom
        case "0": self = .nothing
        default:
            guard let quota = Quota(short: text) else {
                throw LimiterError(
                    .invalidLimit,
                    "expected a rate such as 100/hour, '20 per 15 minutes', '10/second burst 50', unlimited, custom or 0, found '\(text)'"
                )
            }
            self = .limited(quota)
        }
    }

    /// The rate as one writes it in a policy.
    public var description: String {
        switch self {
        case .unlimited: "unlimited"
        case .custom: "custom"
        case .limited(let quota): quota.text
        }
    }
}

extension Quota {
    /// Reads the short form; nil for anything else.
    init?(short text: String) {
        var words = text.split(separator: " ")
        var burst: Int64?
        if words.count > 2, words[words.count - 2] == "burst" {
            guard let units = Int64(digits: words[words.count - 1]) else { return nil }
            burst = units
            words.removeLast(2)
        }
        let rate = words.joined(separator: " ")
        let amount: Substring
        let window: Substring
        if let slash = rate.firstIndex(of: "/") {
            amount = rate[..<slash]
            window = rate[rate.index(after: slash)...]
        } else if words.count > 2, words[1] == "per" {
            amount = words[0]
            window = words.dropFirst(2).joined(separator: " ")[...]
        } else {
            return nil
        }
        let trimmed = amount.last == " " ? amount.dropLast() : amount
        guard let units = Int64(digits: trimmed), let duration = Duration(readable: window, bareUnit: 1) else { return nil }
        self.init(units: units, per: duration, burst: burst)
    }

    /// The short form.
    var text: String {
        guard let window else { return String(units) }
        let unit =
            switch window {
            case .seconds(1): "/second"
            case .seconds(60): "/minute"
            case .seconds(3_600): "/hour"
            case .seconds(86_400): "/day"
            default: " per \(window.readable)"
            }
        return burst.map { "\(units)\(unit) burst \($0)" } ?? "\(units)\(unit)"
    }
}

extension Int64 {
    /// Reads plain digits; nil for signs, blanks and anything else.
    package init?(digits text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else { return nil }
        self.init(text)
    }
}
