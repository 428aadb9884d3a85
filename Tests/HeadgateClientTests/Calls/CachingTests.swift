import AsyncHTTPClient
import HeadgateTesting
import NIOCore
import NIOHTTP1
import Testing

@testable import HeadgateClient

@Suite("GETs that are answered from memory")
struct CachingTests {
    @Test("A fresh answer is used without asking; a stale one is asked about, and 304 makes it fresh", .timeLimit(.minutes(1)))
    func conditional() async throws {
        let clock = ManualClock()
        let server = PlayedServer { request, _ in
            let headers = ["ETag": "\"v1\"", "Cache-Control": "max-age=60"]
            return request.headers["if-none-match"] == ["\"v1\""]
                ? HTTPClientResponse(.notModified, headers) : HTTPClientResponse(.ok, headers, body: "report")
        }
        let client = PoliteClient(server, clock)
        for _ in 0..<3 { #expect(try await client.get("/report").text() == "report") }
        #expect(server.requests.count == 1)
        clock.advance(by: .seconds(61))
        for _ in 0..<3 {
            let response = try await client.get("/report")
            #expect(response.status == .ok)
            #expect(try await response.text() == "report")
        }
        #expect(server.requests.count == 2)
    }

    @Test("Equal GETs in flight are one", .timeLimit(.minutes(1)))
    func joined() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in
            try await clock.sleep(for: .seconds(1))
            return HTTPClientResponse(.ok, ["Cache-Control": "max-age=1"], body: "one")
        }
        let client = PoliteClient(server, clock)
        let texts = try await clock.run {
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await client.get("/a").text() } }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
        }
        #expect(texts == Array(repeating: "one", count: 20))
        #expect(server.requests.count == 1)
    }

    @Test("Equal GETs in flight fail as one when all attempts are used up", .timeLimit(.minutes(1)))
    func joinedFailure() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in HTTPClientResponse(.serviceUnavailable) }
        let client = PoliteClient(server, clock)
        let errors = try await clock.run {
            await withTaskGroup(of: ClientError?.self) { group in
                for _ in 0..<20 { group.addTask { await failure { try await client.get("/a", timeout: .minutes(10)) } } }
                return await group.reduce(into: [ClientError]()) { $0 += [$1].compactMap { $0 } }
            }
        }
        #expect(errors.count == 20 && errors.allSatisfy { $0.code == .unavailable && $0.attempts == 5 })
        #expect(server.requests.count == 5)
    }

    @Test("When the one that asks is cancelled, one of those who joined it asks", .timeLimit(.minutes(1)))
    func joinedCancellation() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, index in
            if index == 0 { try await clock.sleep(for: .seconds(1_000)) }
            return HTTPClientResponse(.ok, ["Cache-Control": "max-age=60"], body: "one")
        }
        let client = PoliteClient(server, clock)
        await withTaskGroup(of: Void.self) { group in
            let (begun, begins) = AsyncStream<Void>.makeStream()
            group.addTask {
                await withTaskGroup(of: Void.self) { first in
                    first.addTask { #expect(await failure { try await client.get("/a", timeout: .hours(1)) }?.code == .cancelled) }
                    // It is under way: it and its deadline sleep.
                    try? await clock.waitForSleepers(2)
                    begins.finish()
                    // And its followers' deadlines.
                    try? await clock.waitForSleepers(2 + 9)
                    first.cancelAll()
                }
            }
            for await _ in begun {}
            for _ in 0..<9 { group.addTask { #expect(await Self.text(client) == "one") } }
            for _ in 0..<2_000 where clock.sleepers > 0 || server.requests.count < 2 {
                for _ in 0..<20 { await Task.yield() }
                if server.requests.count > 0 { clock.advance(by: .milliseconds(1)) }
            }
        }
        #expect(server.requests.count == 2)
    }

    private static func text(_ client: PoliteClient) async -> String? { try? await client.get("/a", timeout: .minutes(10)).text() }

    @Test("Answers are kept apart by what the caller says makes a key, and by cookies", .timeLimit(.minutes(1)))
    func apart() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, index in HTTPClientResponse(.ok, ["Cache-Control": "max-age=60"], body: "\(index)") }
        let client = PoliteClient(server, clock) { $0.key = { $0.headers["x-user"].first ?? "" } }
        func text(_ name: String, _ value: String) async throws -> String {
            try await clock.run(step: .milliseconds(5)) {
                var request = HTTPClientRequest(url: "http://api.test/me")
                request.headers.add(name: name, value: value)
                return try await client.execute(request, timeout: .seconds(9)).text()
            }
        }
        #expect(try await text("X-User", "a") == "0")
        #expect(try await text("X-User", "b") == "1")
        #expect(try await text("Cookie", "session=a") == "2")
        #expect(try await text("Cookie", "session=b") == "3")
        #expect(try await text("X-User", "a") == "0")
    }

    @Test("An answer that may not be shared is asked for by each", .timeLimit(.minutes(1)))
    func unshared() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, index in HTTPClientResponse(.ok, ["Cache-Control": "no-store"], body: "\(index)") }
        let client = PoliteClient(server, clock)
        let texts = try await clock.run {
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<5 { group.addTask { try await client.get("/a").text() } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
        }
        #expect(texts.count == 5 && server.requests.count == 5)
    }

    @Test("A change makes the answer be asked for anew; another key has its own", .timeLimit(.minutes(1)))
    func changed() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, index in HTTPClientResponse(.ok, ["Cache-Control": "max-age=60"], body: "\(index)") }
        let client = PoliteClient(server, clock)
        try await clock.run(step: .milliseconds(5)) {
            let first = try await client.get("/a").text()
            #expect(first == "0")
            var request = HTTPClientRequest(url: "http://api.test/a")
            request.headers.add(name: "Authorization", value: "Bearer other")
            let other = try await client.execute(request, timeout: .seconds(9)).text()
            #expect(other == "1")
            request = HTTPClientRequest(url: "http://api.test/a")
            request.method = .PUT
            let change = try await client.execute(request, timeout: .seconds(9)).text()
            #expect(change == "2")
            let anew = try await client.get("/a").text()
            #expect(anew == "3")
        }
    }

    @Test("A body that is too long to remember reaches the caller whole")
    func long() async throws {
        let body = String(repeating: "x", count: 5_000)
        let server = PlayedServer { _, _ in
            let parts = AsyncStream<ByteBuffer> { stream in
                for _ in 0..<5 { stream.yield(ByteBuffer(string: String(body.prefix(1_000)))) }
                stream.finish()
            }
            return HTTPClientResponse(headers: ["Cache-Control": "max-age=60"], body: .stream(parts))
        }
        let client = PoliteClient(server, ManualClock()) { $0.cache.longestBody = 2_500 }
        #expect(try await client.get("/a").text() == body)
        #expect(try await client.get("/a").text() == body)
        #expect(server.requests.count == 2)
    }

    @Test("Requests with conditions of their own, or that forbid it, go to the server", .timeLimit(.minutes(1)))
    func own() async throws {
        let server = PlayedServer { _, _ in HTTPClientResponse(.ok, ["Cache-Control": "max-age=60"]) }
        let clock = ManualClock()
        let client = PoliteClient(server, clock)
        for (name, value) in [
            ("Range", "bytes=0-1"), ("If-None-Match", "\"x\""), ("Cache-Control", "no-store"), ("Cache-Control", "no-cache"),
        ] {
            for _ in 0..<2 {
                _ = try await clock.run(step: .milliseconds(5)) {
                    var request = HTTPClientRequest(url: "http://api.test/a")
                    request.headers.add(name: name, value: value)
                    return try await client.execute(request, timeout: .seconds(9)).text()
                }
            }
        }
        #expect(server.requests.count == 8)
    }
}
