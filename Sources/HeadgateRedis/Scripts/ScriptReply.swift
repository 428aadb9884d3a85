internal import Headgate

/// The script's answer: integers, of which the connection has checked the nonce and the number.
struct ScriptReply {
    private let integers: [Int64]

    init(_ integers: [Int64]) { self.integers = integers }

    /// Redis' time at which the script ran.
    var time: StoreTime { StoreTime(microseconds: integers[1]) }

    /// What stands behind the nonce and the time.
    var results: ArraySlice<Int64> { integers[2...] }

    /// The verdicts on decisions, one for each.
    func verdicts(on decisions: ArraySlice<StoreDecision>) -> [Verdict] {
        var at = 2
        return decisions.map { decision in
            defer { at += 1 + decision.charges.count * ScriptCall.readingWidth }
            return verdict(on: decision, from: at)
        }
    }

    /// The verdict on one decision, which stands at an index.
    func verdict(on decision: StoreDecision, from start: Int = 2) -> Verdict {
        let readings = decision.charges.indices.map { index in
            let at = start + 1 + index * ScriptCall.readingWidth
            return Reading(
                fit: integers[at],
                remaining: integers[at + 1],
                retryAfter: integers[at + 2],
                nextUnit: integers[at + 3],
                full: integers[at + 4],
                stamp: integers[at + 5]
            )
        }
        return Verdict(granted: integers[start], readings: readings)
    }
}
