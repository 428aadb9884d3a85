package import Headgate

/// What is asked, how often and by how many.
package struct BenchPlan: Sendable {
    /// What is asked.
    package var workload: Workload
    /// How the limit counts; a policy says so itself.
    package var algorithm: Algorithm.Name
    /// How many callers ask, each waiting for its answer.
    package var callers: Int
    /// How long is measured.
    package var duration: Duration
    /// How many requests a second begin, whether earlier ones are answered or not; `nil` for as many as the callers manage.
    package var rate: Double?
    /// The policy of the workload `policy`, and its tiers.
    package var policy: (rules: any RuleSet, tiers: [String])?
    /// Whether the counts stay in Redis until they end by themselves.
    package var keepsKeys: Bool
    /// How many subjects share the load of workloads with many.
    var subjects = 100_000

    /// What is asked.
    package enum Workload: String, Sendable, CaseIterable {
        /// Each request for one of 100,000 subjects at random.
        case uniform
        /// All for one subject, all allowed.
        case hot
        /// All for one subject, all denied.
        case denied
        /// 100,000 subjects, some much more often than others: Zipf's law with the exponent 1.1.
        case zipf
        /// Mixed requests of 100,000 accounts, with all limits that a policy gives them.
        case policy
    }

    /// Creates a plan.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` with what was expected.
    package init(
        _ workload: Workload,
        algorithm: Algorithm.Name?,
        callers: Int,
        seconds: Double,
        rate: Double?,
        policy: (rules: any RuleSet, tiers: [String])?,
        keepsKeys: Bool = false
    ) throws(LimiterError) {
        func require(_ condition: Bool, _ message: String) throws(LimiterError) {
            guard condition else { throw LimiterError(.badRequest, message) }
        }
        try require((1...100_000).contains(callers), "the callers are \(callers); expected 1 to 100000")
        try require(seconds >= 0.1 && seconds <= 86_400, "the seconds are \(seconds); expected 0.1 to 86400")
        if let rate { try require(rate >= 1 && rate <= 10_000_000, "the rate is \(rate) a second; expected 1 to 10000000") }
        try require(workload != .policy || policy != nil, "the workload policy has no policy; expected --policy FILE")
        try require(workload != .policy || algorithm == nil, "a policy says itself how its limits count; expected no --algorithm")
        self.workload = workload
        self.algorithm = algorithm ?? .tokenBucket
        self.callers = callers
        duration = .milliseconds(Int64(seconds * 1_000))
        self.rate = rate
        self.policy = workload == .policy ? policy : nil
        self.keepsKeys = keepsKeys
    }
}

extension BenchPlan {
    /// The limit of every subject, for workloads without a policy.
    func limit() throws(LimiterError) -> Limit {
        let (units, window): (Int64, Duration) =
            switch workload {
            // No load reaches a unit a microsecond.
            case .hot: (3_600_000_000, .seconds(3_600))
            case .denied: (1, .seconds(86_400))
            case .uniform, .zipf, .policy: (100, .seconds(60))
            }
        let algorithm: Algorithm =
            switch algorithm {
            case .slidingWindowLog: try .slidingWindowLog(units, per: window)
            case .tokenBucket: try .tokenBucket(units, per: window)
            case .fixedWindow: try .fixedWindow(units, per: window)
            case .slidingWindowCounter: try .slidingWindowCounter(units, per: window)
            case .concurrency: try .concurrency(min(units, 10_000), timeToLive: workload == .denied ? window : .seconds(30))
            }
        return try Limit("bench", algorithm)
    }
}
