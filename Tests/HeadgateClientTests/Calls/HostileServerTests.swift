import AsyncHTTPClient
import HeadgateClient
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// These calls go over sockets and real time: what is shown is that each ends by its deadline.
@Suite("A hostile server", .serialized, .exclusive, .timeLimit(.minutes(2)))
struct HostileServerTests {
    private struct Ending {
        var error: ClientError?
        var requests: Int
        var time: Duration
    }

    /// Makes one call, reads its answer to the end, and says how that ended.
    private func call(
        _ move: HostileServer.Move,
        _ method: HTTPMethod = .GET,
        timeout: TimeAmount = .seconds(2),
        body: HTTPClientRequest.Body? = nil
    ) async throws -> Ending {
        try await HostileServer.run(move) { address, server in
            var configuration = ClientConfiguration()
            configuration.retries.base = .milliseconds(20)
            let client = PoliteClient(configuration: configuration)
            var request = HTTPClientRequest(url: address)
            request.method = method
            request.body = body
            let start = ContinuousClock.now
            var ended: ClientError?
            do {
                let response = try await client.execute(request, timeout: timeout)
                _ = try await response.body.collect(upTo: 1 << 20)
            } catch let error as ClientError { ended = error }
            return Ending(error: ended, requests: server.requests, time: ContinuousClock.now - start)
        }
    }

    private static let empty = "Content-Length: 0\r\n\r\n"

    @Test("429 without a word: five attempts, then a clear error")
    func bare() async throws {
        let ending = try await call(.say("HTTP/1.1 429 Too Many Requests\r\n\(Self.empty)"))
        #expect(ending.error?.code == .rateLimited && ending.error?.status == 429)
        #expect(ending.requests == 5 && ending.time < .seconds(2.5))
    }

    @Test("Retry-After of a day: an error at once, with the time")
    func day() async throws {
        let ending = try await call(.say("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 86400\r\n\(Self.empty)"))
        #expect(ending.error?.code == .rateLimited && ending.error?.retryAfter == .seconds(86_400))
        #expect(ending.requests == 1 && ending.time < .seconds(1))
    }

    @Test("A date in the past and garbage are no reason to ask faster, nor for ever")
    func garbage() async throws {
        for fields in [
            "Retry-After: Fri, 01 Jan 2021 00:00:00 GMT\r\n", "Retry-After: \u{1F422}\r\nX-RateLimit-Reset: yesterday\r\n",
            "X-RateLimit-Limit: -9\r\nX-RateLimit-Remaining: NaN\r\nRateLimit: \"\\\"\r\nRateLimit-Policy: ;;;\r\nDate: never\r\n",
        ] {
            let ending = try await call(.say("HTTP/1.1 429 Too Many Requests\r\n\(fields)\(Self.empty)"))
            #expect(ending.error?.code == .rateLimited)
            #expect(ending.requests == 5 && ending.time < .seconds(2.5))
        }
    }

    @Test("A body that never ends is left at the deadline")
    func endless() async throws {
        for status in ["200 OK", "429 Too Many Requests"] {
            let ending = try await call(.neverEnd("HTTP/1.1 \(status)\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"))
            #expect(ending.error != nil)
            #expect(ending.time < .seconds(3))
            #expect(ending.error?.code == (status == "200 OK" ? .deadlineExceeded : .rateLimited))
        }
    }

    @Test("Silence is left at the deadline, and never sent again", arguments: ["GET", "POST"])
    func silence(method: String) async throws {
        let ending = try await call(.silence, HTTPMethod(rawValue: method), timeout: .seconds(1))
        #expect(ending.error?.code == .deadlineExceeded)
        #expect(ending.requests == 1 && ending.time < .seconds(2))
    }

    @Test("Connections that are reset: a GET is sent five times, a POST and a streamed PUT once")
    func resets() async throws {
        let get = try await call(.reset)
        #expect(get.error?.code == .connection && get.requests == 5)
        let post = try await call(.reset, .POST, body: .bytes(ByteBuffer(string: "{}")))
        #expect(post.error?.code == .connection && post.requests == 1)
        let parts = AsyncStream<ByteBuffer> { stream in
            stream.yield(ByteBuffer(string: "x"))
            stream.finish()
        }
        let stream = try await call(.reset, .PUT, body: .stream(parts, length: .known(Int64(1))))
        #expect(stream.error?.code == .connection && stream.requests == 1)
    }

    @Test("A connection that breaks within an answer is a clear error")
    func truncated() async throws {
        let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
        let stays = try await call(.say(half), timeout: .seconds(1))
        #expect(stays.error?.code == .deadlineExceeded && stays.requests == 1 && stays.time < .seconds(2))
        // The caller may have used the first half: it is not sent again.
        let breaks = try await call(.breakOff(half))
        #expect(breaks.error?.code == .connection && breaks.requests == 1 && breaks.time < .seconds(1))
    }

    @Test("Bytes that are no HTTP: a GET is sent five times, a POST once", arguments: ["\0\u{7f}\r\n\r\n", "HTTP/1.1 2OO\r\n\r\n", ""])
    func noHTTP(bytes: String) async throws {
        let get = try await call(.breakOff(bytes))
        #expect(get.error?.code == .connection && get.requests == 5 && get.time < .seconds(2.5))
        let post = try await call(.breakOff(bytes), .POST, body: .bytes(ByteBuffer(string: "{}")))
        #expect(post.error?.code == .connection && post.requests == 1 && post.time < .seconds(2.5))
    }

    @Test("A header that never ends is left at the deadline, and not sent again")
    func endlessHead() async throws {
        let ending = try await call(.neverEnd("HTTP/1.1 200 OK\r\n", "X-A: b\r\n"), timeout: .seconds(1))
        #expect(ending.error?.code == .deadlineExceeded)
        #expect(ending.requests == 1 && ending.time < .seconds(2))
    }

    @Test("A body that can be read once is sent once, also when a limit denied it")
    func stream() async throws {
        let parts = AsyncStream<ByteBuffer> { stream in
            stream.yield(ByteBuffer(string: "x"))
            stream.finish()
        }
        let answer = "HTTP/1.1 429 Too Many Requests\r\n\(Self.empty)"
        let ending = try await call(.say(answer), .PUT, body: .stream(parts, length: .known(Int64(1))))
        #expect(ending.error?.code == .rateLimited && ending.error?.attempts == 1 && ending.requests == 1)
        // One in memory is sent again: what a limit denied was not processed, whatever the method.
        let post = try await call(.say(answer), .POST, body: .bytes(ByteBuffer(string: "{}")))
        #expect(post.error?.code == .rateLimited && post.requests == 5 && post.time < .seconds(2.5))
    }

    @Test("An address where nobody listens, and one that is none")
    func nobody() async throws {
        let client = PoliteClient()
        for (url, codes) in [
            ("http://127.0.0.1:1/", [ClientError.Code.connection, .deadlineExceeded]), ("nonsense", [.invalidRequest]),
        ] {
            let start = ContinuousClock.now
            let error = await failure { try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(1)) }
            #expect(error.map { codes.contains($0.code) } == true)
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }
}
