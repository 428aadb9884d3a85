internal import Headgate

/// Dates of HTTP (RFC 9110 5.6.7), in the three forms that recipients have to read.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The epoch second of a date; nil for anything else.
    static func epochSecond(_ text: some StringProtocol) -> Int64? {
        guard text.utf8.count <= 64 else { return nil }
        let parts = text.split(whereSeparator: { " -,".contains($0) }).map { String($0) }
        switch parts.count {
        case 6 where parts[5] == "GMT" && parts[3].utf8.count == 2:
            // Sunday, 06-Nov-94 08:49:37 GMT
            guard let short = Int(parts[3]) else { return nil }
            return epochSecond(year: short < 70 ? 2000 + short : 1900 + short, month: parts[2], day: parts[1], time: parts[4])
        case 6 where parts[5] == "GMT":
            // Sun, 06 Nov 1994 08:49:37 GMT
            return Int(parts[3]).flatMap { epochSecond(year: $0, month: parts[2], day: parts[1], time: parts[4]) }
        case 5:
            // Sun Nov  6 08:49:37 1994
            return Int(parts[4]).flatMap { epochSecond(year: $0, month: parts[1], day: parts[2], time: parts[3]) }
        default:
            return nil
        }
    }

    private static func epochSecond(year: Int, month: String, day: String, time: String) -> Int64? {
        guard let index = months.firstIndex(of: month), let day = Int(day), (1...31).contains(day), (1970...9999).contains(year) else {
            return nil
        }
        // A leap second is the last of its minute.
        let time = time.hasSuffix(":60") ? "\(time.dropLast(2))59" : time
        return RFC3339.epochSecond("\(year)-\(padded(index + 1))-\(padded(day))T\(time)Z")
    }

    /// The date of an epoch second, as it is to be written.
    static func text(epochSecond: Int64) -> String {
        let civil = RFC3339.string(epochSecond: epochSecond)
        let days = epochSecond >= 0 ? epochSecond / 86_400 : 0
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days % 7)]
        let parts = civil.split { $0 == "-" || $0 == "T" || $0 == "Z" }
        guard parts.count == 4, let month = Int(parts[1]) else { return civil }
        return "\(weekday), \(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]) GMT"
    }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
