import Headgate
import HeadgateRedis

/// Where counts live.
public enum StoreChoice: Sendable, Hashable {
    /// A redis-server of this process' own, that ends with it.
    case embedded
    /// This process' memory.
    case memory
    /// The Redis at a URL.
    case redis(url: String)

    /// Reads `embedded`, `memory`, or the URL of a Redis.
    ///
    /// - Throws: ``ConfigurationError`` when the text is none of these; it does not repeat the text, which may hold a password.
    public init(_ text: String) throws(ConfigurationError) {
        switch text {
        case "embedded": self = .embedded
        case "memory": self = .memory
        default:
            do throws(LimiterError) {
                _ = try RedisConfiguration(url: text)
            } catch {
                throw ConfigurationError("the Redis setting is wrong: \(error.message); or embedded, or memory")
            }
            self = .redis(url: text)
        }
    }
}
