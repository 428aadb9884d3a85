import Headgate
import HeadgatePolicy

extension Duration {
    /// The time from now in two units at most: `now`, `in 350ms`, `in 12m 5s`.
    var inWords: String {
        self <= .zero ? "now" : "in \(words)"
    }

    /// The time in two units at most, rounded up: `350ms`, `12m 5s`, `3d`.
    var words: String {
        let milliseconds = millisecondsRoundedUp
        guard milliseconds >= 1_000 else { return "\(max(0, milliseconds))ms" }
        let seconds = (milliseconds + 999) / 1_000
        let units: [(name: String, seconds: Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
        var rest = seconds
        var parts: [String] = []
        for unit in units {
            if rest >= unit.seconds { parts.append("\(rest / unit.seconds)\(unit.name)") }
            rest %= unit.seconds
        }
        return parts.prefix(2).joined(separator: " ")
    }
}
