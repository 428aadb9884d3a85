// A test that is given a server uses its members, so the module comes along.
@_exported public import EmbeddedRedis

/// Runs a test against a redis-server of its own, and ends the server afterwards.
///
/// - Parameters:
///   - listener: What the server listens on.
///   - arguments: More arguments of redis-server.
///   - body: The test.
/// - Returns: What the body returns.
/// - Throws: ``RedisServerError`` when the server does not start, else what the body throws.
public func withRedisServer<Result>(
    on listener: RedisServer.Listener = .unixSocket,
    arguments: [String] = [],
    _ body: (RedisServer) async throws -> Result
) async throws -> Result {
    let server = try await RedisServer.start(on: listener, arguments: arguments)
    do {
        let result = try await body(server)
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}
