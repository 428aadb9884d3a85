import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing

@testable import HeadgateClient

@Suite("What is sent again, and when")
struct RetryTests {
    private let policy = RetryPolicy()
    private let free = Replay(isIdempotent: true, isRepeatable: true)

    private func verdict(
        _ failure: Failure,
        after attempts: Int = 1,
        _ replay: Replay? = nil,
        left: Duration = .seconds(600),
        random: Double = 1
    ) -> Verdict {
        policy.verdict(failure, after: attempts, replay ?? free, left: left, random: random)
    }

    @Test("Without the server's word: any time up to the base, doubled each time up to the cap")
    func backoff() {
        let longest: [Duration] = [.seconds(1), .seconds(2), .seconds(4), .seconds(8)]
        for (index, time) in longest.enumerated() {
            #expect(verdict(.limited(retryAfter: nil), after: index + 1) == .again(after: time))
            #expect(verdict(.unavailable(retryAfter: nil), after: index + 1, random: 0) == .again(after: .zero))
            #expect(verdict(.broken, after: index + 1, random: 0.5) == .again(after: time / 2))
        }
        #expect(policy.backoff(after: 9, random: 1) == .seconds(30))
        #expect(policy.backoff(after: 1_000, random: 1) == .seconds(30))
    }

    @Test("The server's time first, and a little on top")
    func serverTime() {
        #expect(verdict(.limited(retryAfter: .seconds(20)), random: 0) == .again(after: .seconds(20)))
        #expect(verdict(.limited(retryAfter: .seconds(20))) == .again(after: .seconds(21)))
        #expect(verdict(.unavailable(retryAfter: .seconds(100))) == .again(after: .seconds(101)))
    }

    @Test("A time that has passed is none: the server is not asked again at once")
    func pastTime() { #expect(verdict(.limited(retryAfter: .zero), random: 0.5) == .again(after: .milliseconds(500))) }

    @Test("Five attempts are enough")
    func attempts() {
        #expect(verdict(.broken, after: 4) == .again(after: .seconds(8)))
        #expect(verdict(.broken, after: 5) == .end(.attempts))
        #expect(RetryPolicy.never.verdict(.broken, after: 1, free, left: .seconds(9), random: 0) == .end(.attempts))
    }

    @Test("What cannot end by the deadline is not begun")
    func deadline() {
        #expect(verdict(.limited(retryAfter: .seconds(86_400))) == .end(.deadline))
        #expect(verdict(.broken, left: .seconds(1)) == .end(.deadline))
    }

    @Test("A connection that broke is tried again only for requests that may be processed twice")
    func idempotence() {
        let once = Replay(isIdempotent: false, isRepeatable: true)
        #expect(verdict(.broken, once) == .end(.unrepeatable))
        // A limit that denies has not processed it.
        #expect(verdict(.limited(retryAfter: nil), once, random: 0) == .again(after: .zero))
        #expect(verdict(.invalid) == .end(.invalid))
    }

    @Test("A body that can be read only once is sent only once")
    func bodies() {
        let once = Replay(isIdempotent: true, isRepeatable: false)
        for failure in [Failure.broken, .limited(retryAfter: nil), .unavailable(retryAfter: .seconds(1))] {
            #expect(verdict(failure, once) == .end(.unrepeatable))
        }
    }

    @Test("Which requests may be sent again")
    func requests() {
        func replay(_ method: String, _ body: HTTPClientRequest.Body?, _ mode: BodyReplay = .whenInMemory, key: String? = nil) -> Replay {
            var request = HTTPClientRequest(url: "http://localhost/")
            request.method = .init(rawValue: method)
            request.body = body
            if let key { request.headers.add(name: "Idempotency-Key", value: key) }
            return Replay(request, body: mode)
        }
        let stream = AsyncStream<ByteBuffer> { $0.finish() }
        #expect(replay("GET", nil) == Replay(isIdempotent: true, isRepeatable: true))
        #expect(replay("PUT", .bytes(ByteBuffer(string: "x"))) == Replay(isIdempotent: true, isRepeatable: true))
        #expect(replay("POST", .bytes(Array("x".utf8))) == Replay(isIdempotent: false, isRepeatable: true))
        #expect(replay("POST", nil, key: "7").isIdempotent)
        #expect(!replay("PATCH", nil).isIdempotent)
        #expect(!replay("PUT", .stream(stream, length: .unknown)).isRepeatable)
        #expect(replay("PUT", .stream(stream, length: .unknown), .always).isRepeatable)
        #expect(!replay("PUT", .bytes(ByteBuffer(string: "x")), .never).isRepeatable)
    }
}
