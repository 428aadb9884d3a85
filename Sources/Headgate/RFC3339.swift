/// Timestamps in RFC 3339: UTC, whole seconds, `Z`.
package enum RFC3339 {
    /// The timestamp of an epoch second, in the proleptic Gregorian calendar.
    package static func string(epochSecond: Int64) -> String {
        let days = epochSecond.flooredQuotient(by: 86_400)
        let second = epochSecond - days * 86_400
        let (year, month, day) = civil(day: days)
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" + padded(second / 3_600, 2) + ":"
            + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2) + "Z"
    }

    /// The epoch second of a timestamp such as `2026-12-01T00:00:00Z`, with `Z` or an offset; nil for anything else.
    ///
    /// A fraction of a second is dropped. Years before 1970 are refused: nothing of ours was then.
    package static func epochSecond(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, digits: 4, behind: nil), let month = number(&rest, digits: 2, behind: "-"),
            let day = number(&rest, digits: 2, behind: "-"), let mark = rest.popFirst(),
            mark == UInt8(ascii: "T") || mark == UInt8(ascii: "t"),
            let hour = number(&rest, digits: 2, behind: nil), let minute = number(&rest, digits: 2, behind: ":"),
            let second = number(&rest, digits: 2, behind: ":"), year >= 1970, (1...12).contains(month), hour < 24, minute < 60, second < 60
        else { return nil }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let fraction = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count)
        }
        guard let offset = offset(rest) else { return nil }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        guard civil(day: days) == (year, month, day) else { return nil }
        return days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    }

    /// The seconds that a zone is ahead of UTC.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
        var rest = text
        guard let sign = rest.popFirst() else { return nil }
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return rest.isEmpty ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = number(&rest, digits: 2, behind: nil),
            let minutes = number(&rest, digits: 2, behind: ":"), rest.isEmpty, hours < 24, minutes < 60
        else { return nil }
        return (hours * 3_600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    /// A number of so many digits, behind a mark when one is given.
    private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int, behind mark: Unicode.Scalar?) -> Int64? {
        if let mark, rest.popFirst() != UInt8(ascii: mark) { return nil }
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else { return nil }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// The day of a date, after Hinnant's days_from_civil.
    private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date of a day since the epoch, after Hinnant's civil_from_days: years begin in March, eras have 400 years.
    private static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468  // Days since 0000-03-01.
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Int64 {
    /// The quotient rounded towards minus infinity; the divisor is above zero.
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension StoreTime {
    /// The second at or after this instant, in RFC 3339.
    package var rfc3339: String { RFC3339.string(epochSecond: epochSecondsRoundedUp) }

    /// The instant of a timestamp such as `2026-12-01T00:00:00Z`; nil for anything else.
    package init?(rfc3339 text: String) {
        guard let second = RFC3339.epochSecond(text) else { return nil }
        self.init(microseconds: second * 1_000_000)
    }
}
