public import Headgate

/// What an account did in a period, by class, endpoint and denying limit, and over time.
///
/// It is about whole minutes, hours or days: all that the period touches.
public struct UsageReport: Sendable, Hashable {
    /// The beginning of the first bucket: at or before that of the period.
    public var from: StoreTime
    /// The end of what was counted: that of the last bucket, or now when it still runs.
    public var to: StoreTime
    /// The length of a bucket.
    public var resolution: UsageResolution
    /// All decisions.
    public var totals: UsageCounts
    /// Decisions by operation class id; `-` stands for those without one.
    public var byClass: [String: UsageCounts]
    /// Decisions on endpoints with a limit of their own, by its id.
    public var byEndpoint: [String: UsageCounts]
    /// Denials by the id of the limit that denied.
    public var deniedByLimit: [String: Int64]
    /// Decisions over time: every bucket in order, those without any too.
    public var series: [UsageBucket]

    /// Creates a report.
    public init(
        from: StoreTime,
        to: StoreTime,
        resolution: UsageResolution,
        totals: UsageCounts = UsageCounts(),
        byClass: [String: UsageCounts] = [:],
        byEndpoint: [String: UsageCounts] = [:],
        deniedByLimit: [String: Int64] = [:],
        series: [UsageBucket] = []
    ) {
        self.from = from
        self.to = to
        self.resolution = resolution
        self.totals = totals
        self.byClass = byClass
        self.byEndpoint = byEndpoint
        self.deniedByLimit = deniedByLimit
        self.series = series
    }
}

/// How many decisions of each outcome there were.
public struct UsageCounts: Sendable, Hashable {
    /// Requests that could go on.
    public var allowed: Int64
    /// Requests that a limit denied.
    public var denied: Int64
    /// Requests that were answered without the store, by the limits' failure policies.
    public var degraded: Int64

    /// Creates counts.
    public init(allowed: Int64 = 0, denied: Int64 = 0, degraded: Int64 = 0) {
        self.allowed = allowed
        self.denied = denied
        self.degraded = degraded
    }

    /// All of them.
    public var total: Int64 { allowed.capped(adding: denied).capped(adding: degraded) }
}

/// The decisions of one minute, hour or day.
public struct UsageBucket: Sendable, Hashable {
    /// Its beginning.
    public var start: StoreTime
    /// Its decisions.
    public var counts: UsageCounts

    /// Creates a bucket.
    public init(start: StoreTime, counts: UsageCounts) {
        self.start = start
        self.counts = counts
    }
}

extension UsageReport {
    /// Adds a bucket with the fields of its hash; what is none of ours is passed over.
    mutating func append(_ start: StoreTime, _ fields: [(name: String, value: String)]) {
        var bucket = UsageCounts()
        for (name, value) in fields {
            guard let field = UsageField(name), let count = Int64(value), count > 0 else { continue }
            bucket.add(count, field.outcome)
            totals.add(count, field.outcome)
            byClass[field.operationClass, default: UsageCounts()].add(count, field.outcome)
            if let endpoint = field.endpoint { byEndpoint[endpoint, default: UsageCounts()].add(count, field.outcome) }
            if let limit = field.limit { deniedByLimit[limit] = (deniedByLimit[limit] ?? 0).capped(adding: count) }
        }
        series.append(UsageBucket(start: start, counts: bucket))
    }
}

extension UsageCounts {
    fileprivate mutating func add(_ count: Int64, _ outcome: UsageField.Outcome) {
        switch outcome {
        case .allowed: allowed = allowed.capped(adding: count)
        case .denied: denied = denied.capped(adding: count)
        case .degraded: degraded = degraded.capped(adding: count)
        }
    }
}

extension Int64 {
    /// The sum; at most the largest number, since what stands in Redis may have been written by anybody.
    fileprivate func capped(adding other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
