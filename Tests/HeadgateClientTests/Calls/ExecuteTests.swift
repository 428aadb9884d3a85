import AsyncHTTPClient
import HeadgateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import HeadgateClient

@Suite("Calls")
struct ExecuteTests {
    @Test("A 429 is sent again after the server's time, and the answer is handed on", .timeLimit(.minutes(1)))
    func retried() async throws {
        let clock = ManualClock()
        let times = Mutex<[Duration]>([])
        let server = PlayedServer { _, index in
            times.withLock { $0.append(clock.now.sinceStart) }
            return index == 0 ? HTTPClientResponse(.tooManyRequests, ["Retry-After": "7"]) : HTTPClientResponse(.ok, body: "done")
        }
        let client = PoliteClient(server, clock)
        let text = try await clock.run { try await client.get("/a").text() }
        #expect(text == "done")
        let gaps = times.withLock { $0 }
        #expect(gaps.count == 2 && gaps[1] >= .seconds(7) && gaps[1] < .seconds(60))
    }

    @Test("Every attempt is told to the delegate", .timeLimit(.minutes(1)))
    func delegate() async throws {
        final class Witness: ClientDelegate {
            let told = Mutex<[String]>([])
            func willSend(_ attempt: Attempt) { told.withLock { $0.append("send \(attempt.number) \(attempt.route)") } }
            func didEnd(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
                if case .answered(let status, _, let time) = outcome {
                    told.withLock { $0.append("\(status) \(time.map { "\($0)" } ?? "")") }
                }
            }
            func willWait(_ attempt: Attempt, for time: Duration) { told.withLock { $0.append("wait \(time)") } }
        }
        let clock = ManualClock()
        let witness = Witness()
        let server = PlayedServer { _, index in index == 0 ? HTTPClientResponse(.serviceUnavailable) : HTTPClientResponse(.ok) }
        let client = PoliteClient(server, clock, delegate: witness)
        _ = try await clock.run { try await client.get("/v2/jobs/17") }
        #expect(witness.told.withLock { $0 } == ["send 1 GET /v2/jobs/*", "503 ", "wait 1.0 seconds", "send 2 GET /v2/jobs/*", "200 "])
    }

    @Test("What stays refused ends with a clear error after five attempts", .timeLimit(.minutes(1)))
    func exhausted() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in HTTPClientResponse(.tooManyRequests) }
        let client = PoliteClient(server, clock)
        let error = try await clock.run { await failure { try await client.get("/a", timeout: .minutes(10)) } }
        #expect(error?.code == .rateLimited && error?.attempts == 5 && error?.status == 429)
        #expect(server.requests.count == 5)
    }

    @Test("A time beyond the deadline ends the call at once, and those behind it", .timeLimit(.minutes(1)))
    func aDay() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in HTTPClientResponse(.tooManyRequests, ["Retry-After": "86400"]) }
        let client = PoliteClient(server, clock)
        let error = await failure { try await client.get("/a") }
        #expect(error?.code == .rateLimited && error?.retryAfter == .seconds(86_400))
        let next = await failure { try await client.get("/a") }
        #expect(next?.code == .rateLimited && next?.attempts == 0)
        #expect(server.requests.count == 1)
        #expect(clock.now.sinceStart == .zero)
    }

    @Test("A server that never answers is left at the deadline", .timeLimit(.minutes(1)))
    func silent() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in
            try await clock.sleep(for: .seconds(1_000_000))
            return HTTPClientResponse(.ok)
        }
        let client = PoliteClient(server, clock)
        let error = try await clock.run { await failure { try await client.get("/a", timeout: .seconds(3)) } }
        #expect(error?.code == .deadlineExceeded)
        #expect(clock.now.sinceStart < .seconds(5))
    }

    @Test("A body that never ends is left at the deadline, and its slot is free", .timeLimit(.minutes(1)))
    func endless() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, index in
            guard index == 0 else { return HTTPClientResponse(.ok) }
            return HTTPClientResponse(body: .stream(AsyncStream<ByteBuffer> { $0.yield(ByteBuffer(string: "x")) }))
        }
        let client = PoliteClient(server, clock)
        let error = try await clock.run { await failure { try await client.get("/a", timeout: .seconds(3)).text() } }
        #expect(error?.code == .deadlineExceeded)
        _ = try await clock.run { try await client.get("/a") }
        #expect(client.gate.lane(of: client.configuration.key(HTTPClientRequest(url: "http://api.test/a")))?.flights.isEmpty == true)
    }

    @Test("A POST whose connection breaks is sent once; a GET is sent again", .timeLimit(.minutes(1)))
    func broken() async throws {
        for (method, expected) in [(HTTPMethod.POST, 1), (.PATCH, 1), (.GET, 5), (.PUT, 5), (.DELETE, 5)] {
            let clock = ManualClock()
            let server = PlayedServer { _, _ in throw HTTPClientError.remoteConnectionClosed }
            let client = PoliteClient(server, clock)
            let error = try await clock.run {
                await failure {
                    var request = HTTPClientRequest(url: "http://api.test/a")
                    request.method = method
                    return try await client.execute(request, timeout: .minutes(10))
                }
            }
            #expect(error?.code == .connection && error?.attempts == expected)
            #expect(server.requests.count == expected)
        }
    }

    @Test("A POST that a redirect led on is not sent again", .timeLimit(.minutes(1)))
    func redirected() async throws {
        let clock = ManualClock()
        let server = PlayedServer { request, _ in
            let head = HTTPResponseHead(version: .http1_1, status: .seeOther)
            let step = HTTPClientRequestResponse(request: request, responseHead: head)
            return HTTPClientResponse(status: .tooManyRequests, history: [step, step])
        }
        let client = PoliteClient(server, clock)
        var request = HTTPClientRequest(url: "http://api.test/a")
        request.method = .POST
        let sent = request
        #expect(await failure { try await client.execute(sent, timeout: .seconds(60)) }?.code == .rateLimited)
        #expect(server.requests.count == 1)
    }

    @Test("What is wrong in itself is not sent again")
    func wrong() async throws {
        let server = PlayedServer { _, _ in throw HTTPClientError.unsupportedScheme("gopher") }
        let client = PoliteClient(server, ManualClock())
        #expect(await failure { try await client.get("/a") }?.code == .invalidRequest)
        #expect(server.requests.count == 1)
    }

    @Test("A priority is sent as X-Priority, and nothing for a normal one", .timeLimit(.minutes(1)))
    func priority() async throws {
        let server = PlayedServer { _, _ in HTTPClientResponse(.ok) }
        let clock = ManualClock()
        let client = PoliteClient(server, clock)
        try await clock.run {
            for priority in CallPriority.allCases { _ = try await client.get("/\(priority.rawValue)", priority: priority).text() }
        }
        #expect(server.requests.map { $0.headers["x-priority"] } == [["high"], [], ["low"]])
    }

    @Test("Cancelling a call that waits takes it out of the queue", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in
            try await clock.sleep(for: .seconds(1_000))
            return HTTPClientResponse(.ok)
        }
        let client = PoliteClient(server, clock)
        await withTaskGroup(of: ClientError?.self) { group in
            for path in ["/1", "/2", "/3", "/4", "/5"] {
                group.addTask { await failure { try await client.get(path, timeout: .hours(1)) } }
            }
            // One is under way (it and its deadline sleep), four wait for their deadlines.
            try? await clock.waitForSleepers(6)
            #expect(client.waiting == 4)
            group.cancelAll()
            for await error in group { #expect(error?.code == .cancelled) }
        }
        #expect(client.waiting == 0)
        #expect(server.requests.count == 1)
    }

    @Test("A full queue refuses at once", .timeLimit(.minutes(1)))
    func full() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in
            try await clock.sleep(for: .seconds(1_000))
            return HTTPClientResponse(.ok)
        }
        let client = PoliteClient(server, clock) { $0.queue.mostWaiting = 2 }
        await withTaskGroup(of: ClientError?.self) { group in
            for path in ["/1", "/2", "/3"] { group.addTask { await failure { try await client.get(path, timeout: .hours(1)) } } }
            try? await clock.waitForSleepers(4)
            #expect(await failure { try await client.get("/4") }?.code == .queueFull)
            group.cancelAll()
        }
    }

    @Test("A bound that is given is kept: never more are under way", .timeLimit(.minutes(1)))
    func bound() async throws {
        let clock = ManualClock()
        let underway = Mutex((now: 0, most: 0))
        let server = PlayedServer { _, _ in
            underway.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            defer { underway.withLock { $0.now -= 1 } }
            try await clock.sleep(for: .milliseconds(300))
            return HTTPClientResponse(.ok)
        }
        let client = PoliteClient(server, clock) { $0.pacing.concurrency = .atMost(3) }
        try await clock.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 { group.addTask { _ = try await client.get("/a", timeout: .minutes(30)).text() } }
                try await group.waitForAll()
            }
        }
        #expect(underway.withLock { $0.most } == 3)
        #expect(server.requests.count == 30)
    }
}
