/// One admitted charge.
struct Admission {
    var time: Int64
    var units: Int64
}

/// Plain, slow checkers that know only what the algorithms promise (reliability, section 2), never how they count.
enum Invariant {
    /// The most units in any window `(t - window, t]`; looking at each admission's own instant suffices.
    static func mostInAnyWindow(_ admissions: [Admission], window: Int64) -> Int64 {
        admissions.map { last in
            admissions.filter { $0.time > last.time - window && $0.time <= last.time }.reduce(0) { $0 + $1.units }
        }.max() ?? 0
    }

    /// Units admitted in the window that ends at an instant.
    static func used(_ admissions: [Admission], endingAt time: Int64, window: Int64) -> Int64 {
        admissions.filter { $0.time > time - window && $0.time <= time }.reduce(0) { $0 + $1.units }
    }

    /// The level of a leaky bucket after some admissions, in units of 1 / window: exact in integers.
    static func level(_ admissions: [Admission], at time: Int64, units: Int64, window: Int64) -> Int64 {
        var level: Int64 = 0
        var last: Int64 = admissions.first?.time ?? time
        for admission in admissions {
            level = max(0, level - (admission.time - last) * units) + admission.units * window
            last = admission.time
        }
        return max(0, level - (time - last) * units)
    }

    /// Units admitted in the aligned window of an instant.
    static func usedInAlignedWindow(_ admissions: [Admission], of time: Int64, window: Int64) -> Int64 {
        admissions.filter { $0.time / window == time / window }.reduce(0) { $0 + $1.units }
    }
}
