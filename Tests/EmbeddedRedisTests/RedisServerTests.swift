import EmbeddedRedis
import Foundation
import TestSupport
import Testing

@Suite("A private redis-server", .serialized, .exclusive)
struct RedisServerTests {
    @Test(
        "answers on its socket, in a directory of its own, and leaves nothing",
        arguments: [RedisServer.Listener.unixSocket, .loopbackPort]
    )
    func startAndStop(listener: RedisServer.Listener) async throws {
        let server = try await RedisServer.start(on: listener)
        #expect(try ping(server) == "PONG")
        let pid = try #require(server.processIdentifier)
        if listener == .unixSocket {
            let directory = (server.url.dropFirst("unix://".count) as Substring).split(separator: "/").dropLast().joined(separator: "/")
            let attributes = try FileManager.default.attributesOfItem(atPath: "/" + directory)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
            await server.stop()
            #expect(!FileManager.default.fileExists(atPath: "/" + directory))
        } else {
            await server.stop()
        }
        #expect(!isRunning(pid))
        #expect(server.processIdentifier == nil)
    }

    @Test("comes back at the same address after it was killed")
    func restart() async throws {
        let server = try await RedisServer.start()
        let first = try #require(server.processIdentifier)
        #expect(try cli(server, "SET", "key", "value") == "OK")
        server.kill()
        try await server.restart()
        #expect(try cli(server, "EXISTS", "key") == "0")
        #expect(server.processIdentifier != first)
        await server.stop()
    }

    @Test("is stopped in its tracks and goes on")
    func suspend() async throws {
        let server = try await RedisServer.start()
        let pid = try #require(server.processIdentifier)
        server.suspend()
        #expect(try await eventually { processState(pid) == "T" })
        server.resume()
        #expect(try ping(server) == "PONG")
        server.suspend()
        await server.stop()
        #expect(!isRunning(pid))
    }

    @Test("ends when nobody holds it any more")
    func dropping() async throws {
        let pid = try await RedisServer.start().processIdentifier
        #expect(try await eventually { !isRunning(try #require(pid)) })
    }

    @Test("says what is wrong when it cannot start")
    func badArgument() async throws {
        let error = await #expect(throws: RedisServerError.self) { try await RedisServer.start(arguments: ["--no-such-option", "1"]) }
        #expect(error?.code == .failed)
        #expect(error?.message.contains("no-such-option") == true)
    }

    @Test("can be waited for no longer than a given time")
    func timeout() async throws {
        let error = await #expect(throws: RedisServerError.self) {
            // What it logs to a file is not seen, its readiness included.
            try await RedisServer.start(arguments: ["--logfile", "redis.log"], timeout: .milliseconds(200))
        }
        #expect(error?.code == .timedOut)
    }

    @Test("starting twenty at once works, and they do not share anything")
    func many() async throws {
        try await withThrowingTaskGroup(of: RedisServer.self) { group in
            for _ in 0..<20 { group.addTask { try await RedisServer.start() } }
            var urls: Set<String> = []
            for try await server in group {
                urls.insert(server.url)
                await server.stop()
            }
            #expect(urls.count == 20)
        }
    }

    private func ping(_ server: RedisServer) throws -> String { try cli(server, "PING") }
}
