internal import Headgate
internal import Logging
internal import Metrics
internal import Tracing

/// The names of this module's metrics, spans and log lines.
///
/// No label or metadata holds an address, a key or a credential.
struct ClientTelemetry: Sendable {
    /// The name of the span around each attempt.
    static let spanName = "headgate.client.attempt"

    /// What the span around each attempt is begun with.
    let tracer: any Tracer
    private let logger: Logger
    private let metrics: any MetricsFactory
    private let wait: Timer
    private let cacheHits: Counter
    private let cacheValidations: Counter
    private let cacheMisses: Counter

    /// Tells a logger, and the systems that the process is set up with.
    init(logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory, tracer: any Tracer = InstrumentationSystem.tracer) {
        self.logger = logger
        self.metrics = metrics
        self.tracer = tracer
        wait = Timer(label: "headgate_client_wait_seconds", dimensions: [], factory: metrics)
        let cache = "headgate_client_cache_total"
        cacheHits = Counter(label: cache, dimensions: [("outcome", "hit")], factory: metrics)
        cacheValidations = Counter(label: cache, dimensions: [("outcome", "validated")], factory: metrics)
        cacheMisses = Counter(label: cache, dimensions: [("outcome", "miss")], factory: metrics)
    }

    /// An attempt begins.
    func began(_ attempt: Attempt, _ span: any Span) {
        wait.recordNanoseconds(attempt.waited.wholeMicroseconds * 1_000)
        span.attributes["http.request.method"] = attempt.method
        span.attributes["http.request.resend_count"] = attempt.number - 1
    }

    /// An attempt was answered.
    func answered(_ attempt: Attempt, _ reading: Reading, _ span: any Span) {
        span.attributes["http.response.status_code"] = reading.status
        count(reading.status == 429 ? "429" : reading.status == 503 ? "503" : "\(reading.status / 100)xx")
    }

    /// An attempt failed.
    func failed(_ attempt: Attempt, _ error: ClientError, _ span: any Span) {
        span.recordError(error)
        span.setStatus(SpanStatus(code: .error))
        count(error.code.description)
    }

    /// A call is sent again after a time.
    func waits(_ attempt: Attempt, for time: Duration) {
        logger.debug("Call is sent again", metadata: ["http.resend_count": "\(attempt.number)", "wait": "\(time)"])
    }

    /// A GET was answered from memory.
    func answeredFromCache() { cacheHits.increment() }
    /// A GET was answered from memory after the server had said that it still holds.
    func validatedCache() { cacheValidations.increment() }
    /// A GET was answered by the server.
    func missedCache() { cacheMisses.increment() }

    /// The label is a class of statuses or one of the error codes.
    private func count(_ outcome: String) {
        Counter(label: "headgate_client_attempts_total", dimensions: [("outcome", outcome)], factory: metrics).increment()
    }
}
