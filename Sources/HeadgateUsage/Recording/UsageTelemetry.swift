internal import Headgate
internal import Logging
internal import Metrics

/// The names of this module's metrics and log lines; none holds a subject.
struct UsageTelemetry: Sendable {
    /// Why counts are missing.
    enum Loss: String, Sendable, CaseIterable {
        /// There were too many different entries.
        case full
        /// Redis may have counted them; its answer never came.
        case replyLost = "reply_lost"
        /// Redis refuses the command as such.
        case refused
        /// They had not got to Redis when the process ended.
        case shutdown
    }

    private let logger: Logger
    private let losses: [Loss: Counter]

    init(logger: Logger) {
        self.logger = logger
        // Made once: what is dropped under load must not cost a look-up.
        losses = Dictionary(
            uniqueKeysWithValues: Loss.allCases.map {
                ($0, Counter(label: "headgate_usage_dropped_total", dimensions: [("reason", $0.rawValue)]))
            }
        )
    }

    /// Decisions are missing in the usage.
    func dropped(_ count: Int64, _ reason: Loss) {
        if count > 0 { losses[reason]?.increment(by: count) }
    }

    /// Redis did not take what was counted.
    func failed(_ error: LimiterError) {
        logger.debug("Usage was not taken", metadata: ["error.code": "\(error.code)", "error.message": "\(error.message)"])
    }
}
