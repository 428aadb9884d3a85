import HTTPTypes
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@Suite("The middleware")
struct RateLimitMiddlewareTests {
    @Test("puts the header fields on answers, 404s and handlers' errors alike", arguments: ["/ok", "/nowhere", "/teapot", "/broken"])
    func headers(path: String) async throws {
        try await app(limits: [.perHour(10)]).test(.router) { client in
            try await client.execute(uri: path, method: .get) { response in
                let expected: [String: HTTPResponse.Status] = ["/ok": .ok, "/nowhere": .notFound, "/broken": .internalServerError]
                #expect(response.status == expected[path] ?? HTTPResponse.Status(code: 418))
                #expect(response.headers[.xRateLimitLimit] == "10")
                #expect(response.headers[.xRateLimitRemaining] == "9")
                #expect(response.headers[.retryAfter] == nil)
            }
        }
    }

    @Test("answers 429 in the style's words, and the handler does not run")
    func denied() async throws {
        try await app(limits: [.perHour(1)]).test(.router) { client in
            _ = try await client.execute(uri: "/ok", method: .get)
            try await client.execute(uri: "/broken", method: .get) { response in
                #expect(response.status == .tooManyRequests)
                #expect(response.headers[.retryAfter] != nil)
                #expect(response.headers[.contentType] == "application/json")
                #expect(String(buffer: response.body).hasPrefix(#"{"error":"RATE_LIMIT_EXCEEDED""#))
            }
        }
    }

    @Test("answers 400 when the limiter cannot judge the request")
    func unknownTier() async throws {
        try await app(limits: [.perHour(1)], tier: "gold").test(.router) { client in
            try await client.execute(uri: "/ok", method: .get) { response in
                #expect(response.status == .badRequest)
                #expect(String(buffer: response.body).contains("unknown_tier"))
            }
        }
    }

    @Test("passes on what the subject's closure throws")
    func unauthorised() async throws {
        try await app(limits: [.perHour(1)]).test(.router) { client in
            try await client.execute(uri: "/ok", method: .get, headers: [.authorization: "none"]) { response in
                #expect(response.status == .unauthorized)
            }
        }
    }

    @Test("lets requests pass without the store when the limits say so, and tells")
    func open() async throws {
        let store = RecordingStore(outage: LimiterError(.connect, "10.0.0.7:6379 refused"))
        try await app(store, limits: [.perHour(1)]).test(.router) { client in
            try await client.execute(uri: "/ok", method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.headgateDegraded] == "connect;policy=open")
                #expect(response.headers[.xRateLimitLimit] == nil)
            }
        }
    }

    @Test("answers 503 without the store when a limit says so, and names no address")
    func closed() async throws {
        let store = RecordingStore(outage: LimiterError(.connect, "10.0.0.7:6379 refused"))
        try await app(store, limits: [.perHour(1, onRedisFailure: .closed)]).test(.router) { client in
            try await client.execute(uri: "/ok", method: .get) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(response.headers[.retryAfter] == "1")
                #expect(!String(buffer: response.body).contains("10.0.0.7"))
            }
        }
    }

    @Test("takes cost and endpoint from a request closure, and the priority from X-Priority otherwise")
    func describing() async throws {
        let router = Router()
        let limiter = Limiter(store: MemoryStore(), rules: SameRules(limits: [try .perHour(10)]))
        router.add(
            middleware: RateLimitMiddleware(limiter: limiter) { request, _ in
                let cost = request.headers[.contentLength].flatMap { Int64($0) } ?? 1
                return LimitRequest(subject: try .account("a1"), endpoint: Endpoint(method: "GET", path: "/"), cost: .units(cost))
            }
        )
        router.post("/ok") { _, _ in "fine" }
        try await Application(router: router).test(.router) { client in
            try await client.execute(uri: "/ok", method: .post, body: ByteBuffer(string: "four")) { response in
                #expect(response.headers[.xRateLimitRemaining] == "6")
            }
        }
    }
}

/// An application whose every route is limited.
func app(
    _ store: any LimitStore = MemoryStore(),
    limits: [Limit],
    tier: String = "pro",
    clock: any Clock<Duration> = ContinuousClock(),
    routes: (Router<BasicRequestContext>) -> Void = { _ in }
) -> some ApplicationProtocol {
    let router = Router()
    let limiter = Limiter(store: store, rules: SameRules(limits: limits), clock: clock)
    router.add(
        middleware: RateLimitMiddleware(limiter: limiter) { request, _ in
            guard request.headers[.authorization] != "none" else { throw HTTPError(.unauthorized) }
            return try Subject.account("a1", tier: tier)
        }
    )
    router.get("/ok") { _, _ in "fine" }
    router.get("/teapot") { _, _ -> String in throw HTTPError(HTTPResponse.Status(code: 418), message: "short and stout") }
    router.get("/broken") { _, _ -> String in throw UnknownError() }
    routes(router)
    return Application(router: router)
}

/// An error that Hummingbird knows nothing of.
struct UnknownError: Error {}

extension Limit {
    static func perHour(_ units: Int64, onRedisFailure: FailurePolicy = .open) throws -> Limit {
        try Limit("read", .slidingWindowLog(units, per: .seconds(3_600)), onRedisFailure: onRedisFailure)
    }

    static func slots(_ slots: Int64, timeToLive: Duration = .seconds(30)) throws -> Limit {
        try Limit("concurrent", .concurrency(slots, timeToLive: timeToLive))
    }
}
