import EmbeddedRedis
import Headgate
import HeadgateRedis
import Logging
import ServiceLifecycle

/// A store, and what has to run for it to answer.
struct Backend {
    let store: any LimitStore
    /// The store, when it is a Redis.
    let redis: RedisStore?
    /// In the order in which they start; they are shut down in reverse.
    let services: [any Service]
    /// Where counts live, for whoever wants to look; free of passwords.
    let place: String

    /// Opens the store of a choice.
    ///
    /// A Redis is not asked for anything yet: that it is away ends nothing.
    ///
    /// - Throws: ``ConfigurationError`` when the choice cannot work, or a redis-server of our own does not start.
    static func open(_ choice: StoreChoice, deadline: Duration, logger: Logger) async throws(ConfigurationError) -> Backend {
        switch choice {
        case .memory:
            return Backend(store: MemoryStore(), redis: nil, services: [], place: "the memory of this process")
        case .redis(let url):
            let redis = try redis(at: url, deadline: deadline, logger: logger)
            return Backend(store: redis, redis: redis, services: [redis], place: "Redis at \(redis.configuration.topology)")
        case .embedded:
            let server: RedisServer
            do {
                server = try await RedisServer.start()
            } catch {
                throw ConfigurationError("\(error.message); or use --redis URL, or --redis memory")
            }
            let redis = try redis(at: server.url, deadline: deadline, logger: logger)
            let services: [any Service] = [EmbeddedRedisService(server: server), redis]
            return Backend(store: redis, redis: redis, services: services, place: "a redis-server of our own, \(server.url)")
        }
    }

    private static func redis(at url: String, deadline: Duration, logger: Logger) throws(ConfigurationError) -> RedisStore {
        do throws(LimiterError) {
            var configuration = try RedisConfiguration(url: url)
            configuration.deadline = deadline
            return try RedisStore(configuration, logger: logger)
        } catch {
            throw ConfigurationError("the Redis setting is wrong: \(error.message)")
        }
    }

    /// Asks for a decision, to see whether decisions can be made.
    func probe() async throws(LimiterError) {
        try await redis?.probe()
    }
}

/// Keeps a redis-server of our own until everything that uses it has shut down.
private struct EmbeddedRedisService: Service {
    let server: RedisServer

    func run() async throws {
        try? await gracefulShutdown()
        await server.stop()
    }
}
