internal import Headgate
internal import Logging
internal import Metrics

/// The names of this module's metrics and log lines.
///
/// No label or metadata holds a key, a subject or a credential.
struct RedisTelemetry: Sendable {
    /// The name of the span around each round trip.
    static let spanName = "headgate.redis"

    private let logger: Logger
    private let reloads = Counter(label: "headgate_script_reloads_total")
    private let desynchronisations = Counter(label: "headgate_protocol_desync_total")
    private let roundTrip = Timer(label: "headgate_redis_round_trip_seconds")

    init(logger: Logger) { self.logger = logger }

    /// A connection was made and greeted.
    func connected(lane: Int) {
        logger.debug("Redis connection is ready", metadata: ["redis.connection": "\(lane)"])
    }

    /// A connection or an attempt to make one ended.
    ///
    /// The label is one of the error codes.
    func disconnected(lane: Int, _ error: LimiterError) {
        Counter(label: "headgate_reconnects_total", dimensions: [("reason", error.code.description)]).increment()
        if error.code == .desynchronised { desynchronisations.increment() }
        logger.debug(
            "Redis connection ended",
            metadata: ["redis.connection": "\(lane)", "error.code": "\(error.code)", "error.message": "\(error.message)"]
        )
    }

    /// The server had lost the script, and it was sent again.
    func reloadedScript() {
        reloads.increment()
        logger.debug("Redis had lost the script; it is loaded again")
    }

    /// A call failed.
    ///
    /// The label is one of the error codes.
    func failed(_ error: LimiterError) {
        // A caller who gives up says nothing of the server.
        guard error.code != .cancelled else { return }
        Counter(label: "headgate_backend_errors_total", dimensions: [("kind", error.code.description)]).increment()
    }

    /// A call was answered.
    func answered(in time: Duration) {
        roundTrip.recordNanoseconds(time.wholeMicroseconds * 1_000)
    }
}
