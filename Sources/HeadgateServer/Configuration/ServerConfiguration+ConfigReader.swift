public import Configuration
import Headgate
import HeadgateEvents
import HeadgateHTTP
import HeadgatePolicy
import HeadgateProvider
import Logging

extension ServerConfiguration {
    /// Reads the keys of `headgate serve`, which README lists.
    ///
    /// - Throws: ``ConfigurationError`` naming the key and what was expected.
    public init(_ reader: ConfigReader) throws(ConfigurationError) {
        guard let policy = try reader.text("policy") else {
            throw ConfigurationError("no policy is given; expected --policy FILE, HEADGATE_POLICY, or policy in the configuration file")
        }
        self.init(policy: policy)
        if let text = try reader.text("listen") { listen = try ListenAddress(text) }
        // A secret: the URL may hold a password.
        if let text = try reader.text("redis", isSecret: true) { store = try StoreChoice(text) }
        if let trusted = try reader.flag("trust_identity_headers") { identityTrust = trusted ? .everybody : .loopback }
        if let text = try reader.text("trusted_proxies") {
            clients.trust = try naming("trusted_proxies") { () throws(LimiterError) in try ProxyTrust(text) }
        }
        if let bits = try reader.number("ipv6_prefix", 48...128) { clients.prefix = bits }
        serviceToken = try reader.secret("service_token")
        try readAccounts(reader)
        try readUpstream(reader)
        if let time = try reader.duration("deadline", atLeast: .milliseconds(1), atMost: .seconds(3_600)) { deadline = time }
        if let time = try reader.duration("drain_delay", atLeast: .zero, atMost: .seconds(3_600)) { drainDelay = time }
        if let text = try reader.text("log_level") {
            guard let level = Logger.Level(rawValue: text) else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError("log_level is '\(text)'; expected one of \(levels)")
            }
            logLevel = level
        }
    }
}

extension ServerConfiguration {
    private mutating func readAccounts(_ reader: ConfigReader) throws(ConfigurationError) {
        if let text = try reader.text("accounts_redis", isSecret: true) {
            guard case .redis = try StoreChoice(text) else {
                throw ConfigurationError("accounts_redis is no Redis; expected redis://host:port")
            }
            accountsStore = try StoreChoice(text)
        }
        adminToken = try reader.secret("admin_token")
        adminReadToken = try reader.secret("admin_read_token")
        if let text = try reader.text("admin_listen") { adminListen = text == "none" ? nil : try ListenAddress(text) }
        if let adminListen, !adminListen.isLoopback, adminToken == nil, adminReadToken == nil {
            throw ConfigurationError(
                "admin_listen is \(adminListen), which others than this machine reach, and there is no token; "
                    + "expected --admin-token-file FILE or HEADGATE_ADMIN_TOKEN"
            )
        }
        if let url = try reader.text("webhook_url") {
            guard let secret = try reader.secret("webhook_secret") else {
                throw ConfigurationError(
                    "webhook_url needs a secret to sign with; expected --webhook-secret-file FILE or HEADGATE_WEBHOOK_SECRET"
                )
            }
            webhook = try naming("webhook_url") { () throws(LimiterError) in
                try WebhookConfiguration(url: url, secret: try WebhookSecret(secret.text))
            }
        }
    }

    private mutating func readUpstream(_ reader: ConfigReader) throws(ConfigurationError) {
        guard let url = try reader.text("upstream") else { return }
        var upstream = UpstreamConfiguration(url: url, healthPath: try reader.text("upstream_health"))
        if let time = try reader.duration("upstream_timeout", atLeast: .milliseconds(10), atMost: .seconds(3_600)) {
            upstream.responseTimeout = time
        }
        guard store != .memory else {
            throw ConfigurationError("a gateway needs accounts and keys, and memory has none; expected --redis URL or embedded")
        }
        self.upstream = upstream
    }
}

/// Runs a body whose error is that of a setting.
private func naming<Result>(_ key: String, _ body: () throws(LimiterError) -> Result) throws(ConfigurationError) -> Result {
    do { return try body() } catch { throw ConfigurationError("\(key): \(error.message)") }
}

extension ConfigReader {
    /// A secret, given as it is or by the file that holds it.
    fileprivate func secret(_ key: String) throws(ConfigurationError) -> Secret? {
        let file = try text(ConfigKey("\(key)_file"))
        let fixed = try text(ConfigKey(key), isSecret: true)
        guard file == nil || fixed == nil else { throw ConfigurationError("\(key) and \(key)_file are both given; expected one of them") }
        if let file { return try Secret(file: file, named: key) }
        return try fixed.map { (text) throws(ConfigurationError) in try Secret(text, named: key) }
    }

    fileprivate func number(_ key: ConfigKey, _ range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
        guard let number = int(forKey: key) ?? string(forKey: key).map({ Int($0) ?? -1 }) else { return nil }
        guard range.contains(number) else {
            throw ConfigurationError("\(key.name) is out of range; expected \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A text; numbers and booleans of a file are an error, not nothing.
    fileprivate func text(_ key: ConfigKey, isSecret: Bool = false) throws(ConfigurationError) -> String? {
        if let text = string(forKey: key, isSecret: isSecret) { return text }
        guard int(forKey: key) == nil, bool(forKey: key) == nil, double(forKey: key) == nil else {
            throw ConfigurationError("\(key.name) is no text; expected it in quotes")
        }
        return nil
    }

    fileprivate func flag(_ key: ConfigKey) throws(ConfigurationError) -> Bool? {
        if let flag = bool(forKey: key) { return flag }
        guard let text = string(forKey: key) else { return nil }
        throw ConfigurationError("\(key.name) is '\(text)'; expected true or false")
    }

    fileprivate func duration(_ key: ConfigKey, atLeast least: Duration, atMost most: Duration) throws(ConfigurationError) -> Duration? {
        guard let text = try text(key) else { return nil }
        guard let duration = try? Duration(readable: text), duration >= least, duration <= most else {
            throw ConfigurationError("\(key.name) is '\(text)'; expected a time of \(least.readable) to \(most.readable), such as 50ms")
        }
        return duration
    }
}

extension ConfigKey {
    fileprivate var name: String { components.joined(separator: ".") }
}
