public import Configuration
import Headgate
import HeadgatePolicy
import Logging

extension ServerConfiguration {
    /// Reads the keys `policy`, `listen`, `redis`, `trust_identity_headers`, `deadline`, `drain_delay` and `log_level`.
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

extension ConfigReader {
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
