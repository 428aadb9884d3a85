import EmbeddedRedis
import Foundation
import TestSupport
import Testing

@Suite("The parent's death", .serialized, .exclusive)
struct ParentDeathTests {
    @Test("A parent that is killed with SIGKILL leaves neither a redis-server nor a directory")
    func killed() async throws {
        let result = await #expect(processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]) {
            let server = try await RedisServer.start()
            try announce(server)
            kill(getpid(), SIGKILL)
        }
        try await expectNothingIsLeft(of: #require(result).standardOutputContent)
    }

    @Test("A parent that exits without stopping the server leaves nothing")
    func exited() async throws {
        let result = await #expect(processExitsWith: .exitCode(7), observing: [\.standardOutputContent]) {
            let server = try await RedisServer.start()
            try announce(server)
            exit(7)
        }
        try await expectNothingIsLeft(of: #require(result).standardOutputContent)
    }

    @Test("A parent that dies while the server is suspended leaves nothing")
    func suspended() async throws {
        let result = await #expect(processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]) {
            let server = try await RedisServer.start()
            try announce(server)
            server.suspend()
            kill(getpid(), SIGKILL)
        }
        try await expectNothingIsLeft(of: #require(result).standardOutputContent)
    }

    /// Whether the server runs in the second after the thread that started it has ended: the kernel's parent-death signal
    /// goes by threads.
    @Test("The server outlives the thread that started it")
    func threadEnds() async throws {
        let server = try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                let started = DispatchSemaphore(value: 0)
                let task = Task {
                    defer { started.signal() }
                    return try await RedisServer.start()
                }
                started.wait()
                Task { continuation.resume(with: await task.result) }
            }
            thread.start()
        }
        let pid = try #require(server.processIdentifier)
        try await Task.sleep(for: .seconds(1))
        #expect(isRunning(pid))
        await server.stop()
    }

    private func expectNothingIsLeft(of announcement: [UInt8]) async throws {
        let words = String(decoding: announcement, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        let pid = try #require(words.first.flatMap { Int32($0) })
        let directory = try #require(words.last.map(String.init))
        #expect(try await eventually { !isRunning(pid) })
        #expect(try await eventually { !FileManager.default.fileExists(atPath: directory) })
    }
}

/// Prints the server's process id and its directory.
private func announce(_ server: RedisServer) throws {
    let pid = try #require(server.processIdentifier)
    let directory = server.url.dropFirst("unix://".count).dropLast("/redis.sock".count)
    try FileHandle.standardOutput.write(contentsOf: Data("\(pid) \(directory)\n".utf8))
}
