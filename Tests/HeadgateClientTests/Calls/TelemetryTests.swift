import AsyncHTTPClient
import HeadgateTesting
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Testing
import Tracing

@testable import HeadgateClient

@Suite("Spans and metrics", .timeLimit(.minutes(1)))
struct TelemetryTests {
    private let metrics = MemoryMetrics()
    private let tracer = MemoryTracer()
    private let clock = ManualClock()

    private func client(_ answer: @escaping PlayedServer.Answer) -> PoliteClient {
        PoliteClient(
            PlayedServer(answer),
            clock,
            telemetry: ClientTelemetry(logger: Logger(label: "test"), metrics: metrics, tracer: tracer)
        )
    }

    @Test("Each attempt is a span of its own, with method, number and status, and is counted by its outcome")
    func attempts() async throws {
        let statuses: [HTTPResponseStatus] = [.tooManyRequests, .serviceUnavailable, .ok]
        let client = client { _, index in HTTPClientResponse(statuses[index]) }
        _ = try await clock.run { try await client.get("/v2/jobs/17").text() }
        #expect(tracer.spans.map(\.operationName) == Array(repeating: "headgate.client.attempt", count: 3))
        #expect(tracer.spans.allSatisfy { $0.kind == .client && $0.ends == 1 && $0.errors.isEmpty && $0.status == nil })
        let expected = [429, 503, 200].enumerated().map { index, status in
            ["http.request.method=GET", "http.request.resend_count=\(index)", "http.response.status_code=\(status)"]
        }
        #expect(tracer.spans.map(\.told) == expected)
        #expect(
            metrics.counters == [
                "headgate_client_attempts_total{outcome=429}": 1, "headgate_client_attempts_total{outcome=503}": 1,
                "headgate_client_attempts_total{outcome=2xx}": 1, "headgate_client_cache_total{outcome=miss}": 1,
            ]
        )
        #expect(metrics.timers["headgate_client_wait_seconds"]?.count == 3)
    }

    @Test("The time that a call waited for its turn is what the timer is told")
    func waits() async throws {
        let client = client { _, _ in
            HTTPClientResponse(
                .ok,
                ["X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7", "Content-Length": "0"]
            )
        }
        _ = try await client.get("/a")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await client.get("/a") }
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(7))
            try await group.waitForAll()
        }
        #expect(metrics.timers["headgate_client_wait_seconds"] == [0, 7_000_000_000])
    }

    @Test("An attempt that fails ends its span with the error, and is counted by the error's code")
    func failures() async throws {
        let client = client { _, _ in throw HTTPClientError.remoteConnectionClosed }
        var post = HTTPClientRequest(url: "http://api.test/a")
        post.method = .POST
        let request = post
        #expect(await failure { try await client.execute(request, timeout: .seconds(9)) }?.code == .connection)
        let span = try #require(tracer.spans.first)
        #expect(tracer.spans.count == 1 && span.ends == 1)
        #expect(span.told == ["http.request.method=POST", "http.request.resend_count=0"])
        #expect(span.status?.code == .error)
        #expect(span.errors.map { ($0 as? ClientError)?.code } == [.connection])
        #expect(metrics.counters == ["headgate_client_attempts_total{outcome=connection}": 1])
    }

    @Test("An attempt that is cut off ends its span, too: by its deadline, or because its task is cancelled")
    func cutOff() async throws {
        let clock = clock
        let client = client { _, _ in
            try await clock.sleep(for: .seconds(1_000_000))
            return HTTPClientResponse(.ok)
        }
        let late = try await clock.run { await failure { try await client.get("/a", timeout: .seconds(3)) } }
        #expect(late?.code == .deadlineExceeded)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { #expect(await failure { try await client.get("/b", timeout: .hours(10)) }?.code == .cancelled) }
            try? await clock.waitForSleepers(1)
            clock.advance(by: .seconds(1))
            while tracer.spans.count < 2 { await Task.yield() }
            group.cancelAll()
        }
        #expect(tracer.spans.map(\.ends) == [1, 1])
        #expect(
            metrics.counters == [
                "headgate_client_attempts_total{outcome=deadlineExceeded}": 1, "headgate_client_attempts_total{outcome=cancelled}": 1,
            ]
        )
    }

    @Test("What is answered from memory is counted and has no span; an answer that was asked about has one")
    func cache() async throws {
        let client = client { request, _ in
            let fields = ["ETag": "\"v\"", "Cache-Control": "max-age=60"]
            return HTTPClientResponse(request.headers.contains(name: "If-None-Match") ? .notModified : .ok, fields)
        }
        for _ in 0..<3 { _ = try await client.get("/a").text() }
        clock.advance(by: .seconds(61))
        _ = try await client.get("/a").text()
        #expect(tracer.spans.map { $0.told.last } == ["http.response.status_code=200", "http.response.status_code=304"])
        #expect(
            metrics.counters == [
                "headgate_client_cache_total{outcome=miss}": 1, "headgate_client_cache_total{outcome=hit}": 2,
                "headgate_client_cache_total{outcome=validated}": 1, "headgate_client_attempts_total{outcome=2xx}": 1,
                "headgate_client_attempts_total{outcome=3xx}": 1,
            ]
        )
    }

    @Test("No label, span or attribute holds an address, a key or a credential")
    func secrets() async throws {
        let client = client { _, _ in HTTPClientResponse(.badRequest) }
        var request = HTTPClientRequest(url: "http://user:hidden@api.test/secret/path?token=hidden")
        request.headers.add(name: "Authorization", value: "Bearer hidden")
        _ = try await client.execute(request, timeout: .seconds(9)).text()
        let told = tracer.spans.flatMap { [$0.operationName] + $0.told } + Array(metrics.counters.keys) + Array(metrics.timers.keys)
        #expect(told.count > 4)
        for text in told { for secret in ["hidden", "secret", "api.test", "Bearer"] { #expect(!text.contains(secret)) } }
    }
}
