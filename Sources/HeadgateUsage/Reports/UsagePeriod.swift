public import Headgate

/// The time that a usage report is about: one that ends now, or one between two instants.
public struct UsagePeriod: Sendable, Hashable {
    private enum Span: Sendable, Hashable {
        case last(Duration)
        case between(StoreTime, StoreTime)
    }

    private let span: Span

    /// The longest period.
    public static let longest: Duration = .seconds(31 * 86_400)

    /// Reads `1h`, `24h`, `7d` or `30d`: the time up to now.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` with what was expected.
    public static func parse(_ text: String) throws(LimiterError) -> UsagePeriod {
        switch text {
        case "1h": UsagePeriod(span: .last(.seconds(3_600)))
        case "24h": UsagePeriod(span: .last(.seconds(86_400)))
        case "7d": UsagePeriod(span: .last(.seconds(7 * 86_400)))
        case "30d": UsagePeriod(span: .last(.seconds(30 * 86_400)))
        default: throw LimiterError(.badRequest, "the period is unknown; expected 1h, 24h, 7d or 30d")
        }
    }

    /// Creates the period from one instant up to another, which it does not include.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when it ends before it begins, or is longer than 31 days.
    public init(from: StoreTime, to: StoreTime) throws(LimiterError) {
        guard from < to else { throw LimiterError(.badRequest, "the period ends before it begins; expected 'from' before 'to'") }
        guard to <= from + UsagePeriod.longest else {
            throw LimiterError(.badRequest, "the period is longer than 31 days; expected 'to' at most 31 days after 'from'")
        }
        span = .between(from, to)
    }

    private init(span: Span) { self.span = span }

    /// The instants that it lies between.
    func interval(at now: StoreTime) -> (from: StoreTime, to: StoreTime) {
        switch span {
        case .last(let length): (now - length, now)
        case .between(let from, let to): (from, to)
        }
    }
}

extension StoreTime {
    /// The instant a time before.
    static func - (time: StoreTime, duration: Duration) -> StoreTime { time + (.zero - duration) }
}
