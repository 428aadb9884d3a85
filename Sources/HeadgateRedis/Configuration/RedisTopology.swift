/// How Redis is set up, and where to begin.
public enum RedisTopology: Sendable, CustomStringConvertible {
    /// One server.
    case standalone(RedisEndpoint)
    /// The master that sentinels name at each connect, and the one that they name next.
    case sentinel(RedisSentinels)
    /// The masters of a cluster, each with its slots; one reachable node is enough to begin with.
    case cluster(RedisCluster)

    /// The places that one begins with, as people write them.
    public var description: String {
        switch self {
        case .standalone(let endpoint): "\(endpoint)"
        case .sentinel(let sentinels): "\(sentinels.master) of the sentinels \(RedisTopology.list(sentinels.endpoints))"
        case .cluster(let cluster): "the cluster of \(RedisTopology.list(cluster.seeds))"
        }
    }

    private static func list(_ endpoints: [RedisEndpoint]) -> String {
        endpoints.map(\.description).joined(separator: ", ")
    }
}

/// The sentinels that know where a master is.
public struct RedisSentinels: Sendable {
    /// Where the sentinels listen.
    public var endpoints: [RedisEndpoint]

    /// The name under which they watch the master.
    public var master: String

    /// Who we are to the sentinels, which have users of their own; `nil` sends no AUTH.
    public var credentials: RedisCredentials?

    /// How often each sentinel is asked where the master is, beside listening to what it announces.
    public var pollInterval: Duration

    /// The time that one sentinel may take to answer: what a dead or hung one costs.
    public var answerTimeout: Duration

    /// Creates a set of sentinels.
    public init(
        _ endpoints: [RedisEndpoint],
        master: String,
        credentials: RedisCredentials? = nil,
        pollInterval: Duration = .milliseconds(500),
        answerTimeout: Duration = .milliseconds(250)
    ) {
        self.endpoints = endpoints
        self.master = master
        self.credentials = credentials
        self.pollInterval = pollInterval
        self.answerTimeout = answerTimeout
    }

    /// Sentinel's registered port.
    public static let defaultPort = 26_379
}

/// A cluster, by some of its nodes.
public struct RedisCluster: Sendable {
    /// Nodes to ask for the others; they need not be masters.
    public var seeds: [RedisEndpoint]

    /// The hosts that may be connected to beside the seeds: names or addresses, in which one `*` stands for anything.
    ///
    /// Empty for any: the cluster is believed. A node that names other hosts is not followed there.
    public var allowedHosts: [String]

    /// How often the map of slots is read again when nothing asks for it.
    public var refreshInterval: Duration

    /// Creates a cluster.
    public init(_ seeds: [RedisEndpoint], allowedHosts: [String] = [], refreshInterval: Duration = .seconds(10)) {
        self.seeds = seeds
        self.allowedHosts = allowedHosts
        self.refreshInterval = refreshInterval
    }

    /// Whether a host may be connected to.
    func allows(_ host: String) -> Bool {
        guard !allowedHosts.isEmpty else { return true }
        return allowedHosts.contains { RedisCluster.matches(host, $0) }
            || seeds.contains { if case .host(host, _) = $0 { true } else { false } }
    }

    private static func matches(_ host: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return host == pattern }
        return host.utf8.count >= parts[0].utf8.count + parts[1].utf8.count && host.hasPrefix(parts[0]) && host.hasSuffix(parts[1])
    }
}
