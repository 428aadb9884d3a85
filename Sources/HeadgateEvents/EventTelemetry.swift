internal import Headgate
internal import Logging
internal import Metrics

/// The names of this module's metrics and log lines; none holds a subject, an address or a secret.
struct EventTelemetry: Sendable {
    /// Why an event is missing.
    enum Loss: String, Sendable, CaseIterable {
        /// Too many waited.
        case full
        /// Redis may have taken it; its answer never came.
        case replyLost = "reply_lost"
        /// Redis refuses the command as such.
        case refused
        /// It had not got to Redis when the process ended.
        case shutdown
    }

    private let logger: Logger
    private let losses: [Loss: Counter]

    init(logger: Logger) {
        self.logger = logger
        // Made once: what is dropped under load must not cost a look-up.
        losses = Dictionary(
            uniqueKeysWithValues: Loss.allCases.map {
                ($0, Counter(label: "headgate_events_dropped_total", dimensions: [("reason", $0.rawValue)]))
            }
        )
    }

    /// An event stands in the stream.
    func emitted(_ kind: LimitEvent.Kind) {
        Counter(label: "headgate_events_emitted_total", dimensions: [("type", kind.rawValue)]).increment()
    }

    /// Events are missing in the stream.
    func dropped(_ count: Int, _ reason: Loss) {
        if count > 0 { losses[reason]?.increment(by: count) }
    }

    /// Redis did not take or give events.
    func failed(_ error: LimiterError) {
        logger.debug("Events were not exchanged", metadata: ["error.code": "\(error.code)", "error.message": "\(error.message)"])
    }

    /// The receiver was sent an event.
    func attempted(_ attempt: Int, _ answer: WebhookAnswer, _ verdict: DeliveryBook.Verdict) {
        Counter(label: "headgate_webhook_attempts_total", dimensions: [("outcome", verdict.label)]).increment()
        let metadata: Logger.Metadata = ["webhook.attempt": "\(attempt)", "webhook.answer": "\(answer)"]
        switch verdict {
        case .delivered: break
        case .retry: logger.debug("Webhook is to be sent again", metadata: metadata)
        case .givenUp: logger.warning("Webhook was given up", metadata: metadata)
        }
    }
}
