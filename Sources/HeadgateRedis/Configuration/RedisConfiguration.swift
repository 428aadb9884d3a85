internal import Headgate

/// Where counts live in Redis, and how long to wait for it.
public struct RedisConfiguration: Sendable {
    /// How Redis is set up, and where to begin.
    public var topology: RedisTopology

    /// How connections are encrypted; `nil` for plain text.
    public var tls: RedisTLS?

    /// Who we are to the server; `nil` sends no AUTH.
    public var credentials: RedisCredentials?

    /// The database's number.
    public var database: Int

    /// Connections to the server, shared by all callers and kept open.
    ///
    /// The first carries all calls: it has room for more than a Redis can decide. The others stand by, and the next of them
    /// takes over while the first is made anew.
    public var connections: Int

    /// The time that a call may take as a whole: waiting for a connection, sending, Redis, and repeats.
    public var deadline: Duration

    /// The time that one attempt to connect may take: name look-up, handshake, AUTH and the loading of the script.
    public var connectTimeout: Duration

    /// How long to wait between attempts to connect.
    public var backoff: Backoff

    /// The time after which a connection that owes an answer and sends none is given up.
    public var stallTimeout: Duration

    /// What every key begins with: 1 to 32 of `[A-Za-z0-9._-]`.
    public var keyPrefix: String

    /// How much may wait at once; more is refused as ``LimiterError/Code/overloaded``.
    public var bounds: Bounds

    /// Whether a server that may evict counts is refused: its calls fail as ``LimiterError/Code/unsafeEviction``.
    ///
    /// Otherwise it is used, and the log and a metric say what it may do.
    public var strictBackend: Bool

    /// How many denials this process remembers until the time that Redis gave, so that they cost no call; 0 for none.
    ///
    /// What is given back on another instance, by a refund or a reset, ends them within half a second.
    public var rememberedDenials: Int

    /// The name that `CLIENT LIST` shows: printable ASCII without blanks.
    public var clientName: String

    /// Whether the store looks at the server itself; tests that count what a server is asked do without.
    var looksAtServer = true

    /// The wait before an attempt: any time up to `base`, doubled with each failure up to `cap` ("full jitter").
    public struct Backoff: Sendable, Hashable {
        /// The longest wait after the first failure.
        public var base: Duration
        /// The longest wait at all, and the wait after a refused password.
        public var cap: Duration

        /// Creates a back-off.
        public init(base: Duration = .milliseconds(50), cap: Duration = .seconds(1)) {
            self.base = base
            self.cap = cap
        }
    }

    /// How much may wait for Redis in one process.
    public struct Bounds: Sendable, Hashable {
        /// Decisions.
        public var decisions: Int
        /// Bytes of commands.
        public var bytes: Int

        /// Creates bounds.
        public init(decisions: Int = 65_536, bytes: Int = 64 * 1024 * 1024) {
            self.decisions = decisions
            self.bytes = bytes
        }
    }

    /// Creates a configuration; without arguments it is that of a Redis on this machine.
    public init(
        topology: RedisTopology = .standalone(.host("127.0.0.1", port: RedisEndpoint.defaultPort)),
        credentials: RedisCredentials? = nil,
        tls: RedisTLS? = nil,
        database: Int = 0,
        connections: Int = 2,
        deadline: Duration = .milliseconds(50),
        connectTimeout: Duration = .seconds(1),
        backoff: Backoff = Backoff(),
        stallTimeout: Duration = .seconds(2),
        keyPrefix: String = "hg",
        bounds: Bounds = Bounds(),
        strictBackend: Bool = false,
        rememberedDenials: Int = 65_536,
        clientName: String = "headgate"
    ) {
        self.topology = topology
        self.credentials = credentials
        self.tls = tls
        self.database = database
        self.connections = connections
        self.deadline = deadline
        self.connectTimeout = connectTimeout
        self.backoff = backoff
        self.stallTimeout = stallTimeout
        self.keyPrefix = keyPrefix
        self.bounds = bounds
        self.strictBackend = strictBackend
        self.rememberedDenials = rememberedDenials
        self.clientName = clientName
    }
}

extension RedisConfiguration {
    /// Refuses what cannot work, so that a mistake shows at start and not at the first decision.
    func validate() throws(LimiterError) {
        try validateTopology()
        try require(
            (tls?.certificateFile == nil) == (tls?.keyFile == nil),
            "a client certificate for Redis has both a certificate file and a key file"
        )
        try require((0...1_000_000).contains(database), "a Redis database is 0 or more")
        try require((1...64).contains(connections), "Redis connections are 1 to 64")
        try require(deadline >= .milliseconds(1) && deadline <= .seconds(3_600), "a Redis deadline is 1 millisecond to 1 hour")
        try require(
            connectTimeout >= .milliseconds(1) && connectTimeout <= .seconds(60),
            "a Redis connect timeout is 1 millisecond to 1 minute"
        )
        try require(
            backoff.base >= .milliseconds(1) && backoff.cap >= backoff.base && backoff.cap <= .seconds(60),
            "a Redis back-off is 1 millisecond to 1 minute, the base no longer than the cap"
        )
        try require(
            stallTimeout >= .milliseconds(10) && stallTimeout <= .seconds(3_600),
            "a Redis stall timeout is 10 milliseconds to 1 hour"
        )
        try require((0...10_000_000).contains(rememberedDenials), "the remembered denials are 0 to 10000000")
        try require(bounds.decisions > 0 && bounds.bytes > 0, "bounds are above zero")
        try require(
            clientName.utf8.count <= 64 && clientName.utf8.allSatisfy { (0x21...0x7E).contains($0) },
            "a Redis client name is at most 64 printable ASCII characters without blanks"
        )
        _ = try KeySpace(prefix: keyPrefix)
    }

    private func validateTopology() throws(LimiterError) {
        switch topology {
        case .standalone(let endpoint):
            try validate(endpoint)
        case .sentinel(let sentinels):
            try require((1...64).contains(sentinels.endpoints.count), "Redis sentinels are 1 to 64")
            for endpoint in sentinels.endpoints { try validate(endpoint) }
            try require(!sentinels.master.isEmpty, "the sentinels' master has a name")
            try require(
                sentinels.pollInterval >= .milliseconds(10) && sentinels.answerTimeout >= .milliseconds(1),
                "sentinels are asked every 10 milliseconds at most, and have 1 millisecond at least to answer"
            )
        case .cluster(let cluster):
            try require((1...1_000).contains(cluster.seeds.count), "the first nodes of a Redis cluster are 1 to 1000")
            for endpoint in cluster.seeds { try validate(endpoint) }
            try require(database == 0, "a Redis cluster has the database 0 alone")
            try require(cluster.refreshInterval >= .milliseconds(200), "a cluster's map is read every 200 milliseconds at most")
        }
    }

    private func validate(_ endpoint: RedisEndpoint) throws(LimiterError) {
        switch endpoint {
        case .host(let name, let port):
            try require(!name.isEmpty && (1...65_535).contains(port), "a Redis host has a name and a port of 1 to 65535")
        case .unixSocket(let path):
            try require((1...103).contains(path.utf8.count), "a Unix socket's path has 1 to 103 bytes")
        }
    }

    private func require(_ condition: Bool, _ message: String) throws(LimiterError) {
        guard condition else { throw LimiterError(.badRequest, message) }
    }
}
