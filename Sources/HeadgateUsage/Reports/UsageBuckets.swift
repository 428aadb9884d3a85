internal import Headgate

/// The buckets that a period touches.
struct UsageBuckets: Sendable, Hashable {
    let resolution: UsageResolution
    /// The beginning of each, in order; never empty.
    let starts: [StoreTime]
    /// The end of what they count.
    let end: StoreTime

    /// Chooses the finest resolution that is short enough for a readable series, and whose hashes still live.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when the period begins before anything that is kept.
    init(_ period: UsagePeriod, at now: StoreTime) throws(LimiterError) {
        let (from, to) = period.interval(at: now)
        let fitting = UsageResolution.allCases.first { to <= from + $0.longestPeriod && now <= $0.start(of: from) + $0.timeToLive }
        guard let resolution = fitting else {
            throw LimiterError(.badRequest, "the period begins too long ago; expected 'from' at most 40 days ago: usage is kept so long")
        }
        self.resolution = resolution
        let first = resolution.start(of: from)
        starts = stride(from: first.microseconds, to: to.microseconds, by: Int(resolution.length.wholeMicroseconds))
            .map(StoreTime.init(microseconds:))
        end = min((starts.last ?? first) + resolution.length, max(to, now))
    }
}
