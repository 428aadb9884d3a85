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
    private let remembered = Counter(label: "headgate_remembered_denials_total")
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

    /// Denials were answered without asking Redis.
    func answeredFromMemory(_ decisions: Int) { remembered.increment(by: decisions) }

    /// A call was answered.
    func answered(in time: Duration) {
        roundTrip.recordNanoseconds(time.wholeMicroseconds * 1_000)
    }

    /// A node's breaker as it is at first.
    func breaker(of node: String, isOpen: Bool) {
        Gauge(label: "headgate_breaker_state", dimensions: [("node", node)]).record(isOpen ? 1 : 0)
        Gauge(label: "headgate_backend_up", dimensions: [("node", node)]).record(isOpen ? 0 : 1)
    }

    /// A node gave no answers, and is not asked for now.
    func breakerOpened(_ node: String, _ error: LimiterError) {
        breaker(of: node, isOpen: true)
        logger.warning(
            "Redis makes no decisions: the failure policies answer until it does",
            metadata: ["redis.node": "\(node)", "error.code": "\(error.code)", "error.message": "\(error.message)"]
        )
    }

    /// A node answers again.
    func breakerClosed(_ node: String) {
        breaker(of: node, isOpen: false)
        logger.notice("Redis makes decisions again", metadata: ["redis.node": "\(node)"])
    }

    /// A call was sent on to another node.
    func redirected(_ kind: RedisFault.Kind) {
        Counter(label: "headgate_redirects_total", dimensions: [("kind", "\(kind)")]).increment()
    }

    /// Whether servers have to prove who they are.
    func verifiesServers(_ verifies: Bool) {
        Gauge(label: "headgate_tls_insecure").record(verifies ? 0 : 1)
        if !verifies { logger.warning("TLS with Redis is insecure: any server is believed to be the right one") }
    }

    /// When a certificate ends, in seconds since 1970.
    func certificate(of side: String, endsAt end: Int) {
        Gauge(label: "headgate_tls_certificate_expiry_timestamp_seconds", dimensions: [("certificate", side)]).record(end)
    }

    /// A node of a cluster did not tell the map of slots.
    func mapUnread(_ error: LimiterError) {
        logger.debug(
            "the cluster's map of slots could not be read",
            metadata: ["error.code": "\(error.code)", "error.message": "\(error.message)"]
        )
    }

    /// The server could not be asked about itself.
    func uninspected(_ error: LimiterError) {
        logger.debug(
            "Redis could not be asked about itself",
            metadata: ["error.code": "\(error.code)", "error.message": "\(error.message)"]
        )
    }

    /// What makes one think that counts were lost.
    enum StateLoss: String {
        /// Another server process answers than before: a restart, or a failover.
        case runID = "run_id"
        /// A key of ours is gone before its time.
        case canary
    }

    /// Counts may have been lost.
    func suspectsStateLoss(_ reason: StateLoss) {
        Counter(label: "headgate_state_loss_suspected_total", dimensions: [("reason", reason.rawValue)]).increment()
        logger.warning("Redis may have lost counts", metadata: ["reason": "\(reason.rawValue)"])
    }

    /// Keys were evicted since the last look.
    func evicted(_ keys: Int64) {
        Counter(label: "headgate_evicted_keys_total").increment(by: keys)
        logger.error("Redis has evicted keys, counts perhaps among them", metadata: ["keys": "\(keys)"])
    }

    /// The server may evict counts.
    func evictionIsUnsafe(_ error: LimiterError) { logger.error("Redis may lose counts: \(error.message)") }

    /// Whether the server may evict counts.
    func eviction(of node: String, isUnsafe: Bool) {
        Gauge(label: "headgate_eviction_policy_unsafe", dimensions: [("node", node)]).record(isUnsafe ? 1 : 0)
    }

    /// The Redis user is not allowed what it needs.
    func lacksAccess(_ error: LimiterError) { logger.error("\(error.message)") }

    /// The server's clock stepped.
    func clockStepped(_ step: ClockWatch.Step) {
        Counter(label: "headgate_clock_step_total", dimensions: [("dir", step.rawValue)]).increment()
        logger.warning("the clock of Redis has stepped", metadata: ["direction": "\(step.rawValue)"])
    }
}
