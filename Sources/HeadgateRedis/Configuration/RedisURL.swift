#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
public import Headgate

extension RedisConfiguration {
    /// Reads where Redis is from a URL; all that it does not say takes its default.
    ///
    /// - `redis://[user:password@]host[:port][/database]`, and `rediss://` for the same over TLS
    /// - `unix:///path[?db=database]`
    /// - `redis-sentinel://[user:password@]host[:port],...]/master[/database]`, and `rediss-sentinel://`
    /// - `redis-cluster://[user:password@]host[:port],...`, and `rediss-cluster://`
    ///
    /// Behind a `?` stand options, joined by `&`: those of ``RedisURLOption``. User, password and options are percent-decoded. No
    /// error repeats any part of the URL but its scheme. `password_env` names a variable of this process.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` with what was expected.
    public init(url: String) throws(LimiterError) {
        try self.init(url: url, environment: { ProcessInfo.processInfo.environment[$0] })
    }

    /// Reads a URL whose `password_env` names a variable of an environment.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` with what was expected.
    public init(url: String, environment: (String) -> String?) throws(LimiterError) {
        let url = try RedisURL(url)
        self.init()
        if url.isEncrypted { tls = RedisTLS() }
        var user = url.user
        if let given = url.options[.user] { user = given }
        let passwords = [url.password, url.options[.password]].compactMap(\.self)
        guard passwords.count <= 1 else { throw LimiterError(.badRequest, "a Redis URL has two passwords; expected one") }
        credentials = try url.credentials(user, passwords.first, file: .passwordFile, variable: .passwordVariable, environment)
        database = try url.databaseNumber()
        switch url.place {
        case .unixSocket(let path):
            topology = .standalone(.unixSocket(path: path))
        case .hosts(let hosts):
            let endpoints = try hosts.map { host throws(LimiterError) in try RedisURL.endpoint(host, defaultPort: url.kind.defaultPort) }
            topology = try url.topology(endpoints, environment)
        }
        try apply(url.options)
        try validate()
    }

    private mutating func apply(_ options: [RedisURLOption: String]) throws(LimiterError) {
        if tls != nil {
            tls?.authorityFile = options[.authorityFile]
            tls?.certificateFile = options[.certificateFile]
            tls?.keyFile = options[.keyFile]
            tls?.serverName = options[.serverName]
            tls?.insecureSkipsVerification = try RedisURL.flag(options[.insecureSkipVerification])
        } else if options.keys.contains(where: \.isAboutTLS) {
            throw LimiterError(.badRequest, "a Redis URL has options for TLS and a scheme without; expected rediss://")
        }
        strictBackend = try RedisURL.flag(options[.strict])
    }
}

/// What may stand behind the `?` of a Redis URL.
public enum RedisURLOption: String, Sendable, Hashable, CaseIterable {
    /// The database's number.
    case database = "db"
    /// The user, when the URL has none before its `@`.
    case user
    /// The password, where the URL has no `@`.
    case password
    /// The file whose content is the password, read at each connect.
    case passwordFile = "password_file"
    /// The environment variable that holds the password.
    case passwordVariable = "password_env"
    /// The file of the authorities that are trusted.
    case authorityFile = "ca_file"
    /// The file of our certificate.
    case certificateFile = "cert_file"
    /// The file of our certificate's key.
    case keyFile = "key_file"
    /// The name that the server has to prove.
    case serverName = "server_name"
    /// `true` to believe any server.
    case insecureSkipVerification = "insecure_skip_verification"
    /// The user of the sentinels.
    case sentinelUser = "sentinel_user"
    /// The password of the sentinels.
    case sentinelPassword = "sentinel_password"
    /// The file whose content is the password of the sentinels.
    case sentinelPasswordFile = "sentinel_password_file"
    /// The environment variable that holds the password of the sentinels.
    case sentinelPasswordVariable = "sentinel_password_env"
    /// The hosts that a cluster may send us to, joined by commas.
    case allowedHosts = "allow_hosts"
    /// `true` to refuse a server that may evict counts.
    case strict

    var isAboutTLS: Bool {
        switch self {
        case .authorityFile, .certificateFile, .keyFile, .serverName, .insecureSkipVerification: true
        case .database, .user, .password, .passwordFile, .passwordVariable, .sentinelUser, .sentinelPassword, .sentinelPasswordFile,
            .sentinelPasswordVariable, .allowedHosts, .strict:
            false
        }
    }
}

/// A Redis URL, cut into its parts.
struct RedisURL {
    /// What the scheme says.
    enum Kind {
        case standalone, unix, sentinel, cluster

        var defaultPort: Int {
            switch self {
            case .standalone, .unix, .cluster: RedisEndpoint.defaultPort
            case .sentinel: RedisSentinels.defaultPort
            }
        }
    }

    enum Place {
        case unixSocket(String)
        case hosts([Substring])
    }

    var kind: Kind
    var isEncrypted: Bool
    var user: String?
    var password: String?
    var place: Place
    /// What stands between the slashes behind the hosts.
    var path: [Substring]
    var options: [RedisURLOption: String]

    init(_ text: String) throws(LimiterError) {
        let scheme = text.firstRange(of: "://").map { text[..<$0.lowerBound] } ?? ""
        (kind, isEncrypted) = try RedisURL.kind(scheme)
        let (rest, query) = text.dropFirst(scheme.count + "://".count).cut(atFirst: "?")
        options = try RedisURL.options(query, of: kind)
        guard !rest.contains("#") else {
            throw LimiterError(.badRequest, "a Redis URL has no fragment; a '?' or '#' in a password is written %3F or %23")
        }
        guard kind != .unix else {
            guard rest.hasPrefix("/") else { throw LimiterError(.badRequest, "a unix:// URL has no absolute path; expected unix:///path") }
            place = .unixSocket(try RedisURL.percentDecoded(rest))
            path = []
            return
        }
        let (authority, path) = rest.cut(atFirst: "/")
        var addresses = authority
        // The last '@' ends the user and password, as in other clients; neither may hold a bare '@' by the standard.
        if let at = authority.lastIndex(of: "@") {
            let (user, password) = authority[..<at].cut(atFirst: ":")
            let name = try RedisURL.percentDecoded(user)
            self.user = name.isEmpty ? nil : name
            self.password = try password.map { text throws(LimiterError) in try RedisURL.percentDecoded(text) }
            addresses = authority[authority.index(after: at)...]
        }
        place = .hosts(addresses.split(separator: ",", omittingEmptySubsequences: false))
        self.path = path?.split(separator: "/", omittingEmptySubsequences: true) ?? []
        try checkShape()
    }

    private static func kind(_ scheme: Substring) throws(LimiterError) -> (Kind, isEncrypted: Bool) {
        switch scheme {
        case "redis": (.standalone, false)
        case "rediss": (.standalone, true)
        case "unix": (.unix, false)
        case "redis-sentinel": (.sentinel, false)
        case "rediss-sentinel": (.sentinel, true)
        case "redis-cluster": (.cluster, false)
        case "rediss-cluster": (.cluster, true)
        default:
            throw LimiterError(
                .badRequest,
                "a Redis URL has an unknown scheme; expected redis://, rediss://, unix://, redis-sentinel:// or redis-cluster://"
            )
        }
    }

    private func checkShape() throws(LimiterError) {
        let hosts = if case .hosts(let hosts) = place { hosts.count } else { 1 }
        switch kind {
        case .standalone, .unix:
            guard hosts == 1 else {
                throw LimiterError(.badRequest, "a redis:// URL has one host; several are for redis-sentinel:// and redis-cluster://")
            }
            guard path.count <= 1 else { throw LimiterError(.badRequest, "a redis:// URL has one path element, the database") }
        case .sentinel:
            guard (1...2).contains(path.count) else {
                throw LimiterError(
                    .badRequest,
                    "a redis-sentinel:// URL names its master behind the hosts; expected host:26379,.../mymaster"
                )
            }
        case .cluster:
            guard path.isEmpty || path == ["0"] else { throw LimiterError(.badRequest, "a Redis cluster has the database 0 alone") }
        }
    }

    /// The database that the path or an option names.
    func databaseNumber() throws(LimiterError) -> Int {
        let inPath = kind == .sentinel ? path.dropFirst().first : path.first
        guard let text = inPath ?? options[.database].map({ $0[...] }) else { return 0 }
        return try RedisURL.number(text, "a database")
    }

    /// The topology of these hosts.
    func topology(_ endpoints: [RedisEndpoint], _ environment: (String) -> String?) throws(LimiterError) -> RedisTopology {
        switch kind {
        case .standalone, .unix:
            return .standalone(endpoints[0])
        case .cluster:
            let allowed = options[.allowedHosts]?.split(separator: ",").map(String.init) ?? []
            return .cluster(RedisCluster(endpoints, allowedHosts: allowed))
        case .sentinel:
            let credentials = try credentials(
                options[.sentinelUser],
                options[.sentinelPassword],
                file: .sentinelPasswordFile,
                variable: .sentinelPasswordVariable,
                environment
            )
            return .sentinel(
                RedisSentinels(endpoints, master: try RedisURL.percentDecoded(path[0]), credentials: credentials)
            )
        }
    }

    /// The credentials of a user, whose password stands in the URL, in a file or in the environment.
    func credentials(
        _ user: String?,
        _ password: String?,
        file: RedisURLOption,
        variable: RedisURLOption,
        _ environment: (String) -> String?
    ) throws(LimiterError) -> RedisCredentials? {
        let sources = [password, options[file], options[variable]].compactMap(\.self)
        guard sources.count <= 1 else {
            throw LimiterError(.badRequest, "a Redis URL has two passwords; expected one, in the URL, in a file or in the environment")
        }
        if let password { return RedisCredentials(user: user, password: password) }
        if let path = options[file] { return RedisCredentials(user: user, passwordFile: path) }
        if let name = options[variable] {
            guard let password = environment(name) else {
                throw LimiterError(.badRequest, "the environment variable that \(variable.rawValue) names is not set")
            }
            return RedisCredentials(user: user, password: password)
        }
        guard user == nil else {
            throw LimiterError(.badRequest, "a Redis URL has a user without a password; expected user:password@ or :password@")
        }
        return nil
    }
}
