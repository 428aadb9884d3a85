import Headgate
import TestSupport
import Testing

@testable import HeadgateEvents

@Suite("The schedule of attempts")
struct DeliveryTests {
    @Test("waits any time up to 1, 2, 4 ... seconds, at most five minutes, and ends after 8 attempts")
    func schedule() {
        var random = Generator(seed: 1)
        let schedule = RetrySchedule()
        for attempt in 1...7 {
            let waits = (0..<500).compactMap { _ in schedule.wait(after: attempt, using: &random) }
            let longest = Duration.seconds(1 << (attempt - 1))
            #expect(waits.count == 500)
            #expect(waits.allSatisfy { $0 >= .zero && $0 <= longest })
            // Full jitter: the waits are spread over all of it.
            #expect(waits.contains { $0 < longest / 10 } && waits.contains { $0 > longest / 10 * 9 })
        }
        #expect(schedule.wait(after: 8, using: &random) == nil)
        let patient = RetrySchedule(attempts: 1_000)
        #expect((1..<1_000).allSatisfy { patient.wait(after: $0, using: &random) ?? .seconds(301) <= .seconds(300) })
    }

    @Test("delivers with a 2xx, gives up with 410, and tries anything else again", arguments: [199, 200, 204, 299, 300, 404, 410, 500, 0])
    func verdicts(status: Int) throws {
        var random = Generator(seed: 2)
        var book = DeliveryBook(mostHeld: 10, mostUnderway: 1)
        book.add(try .sample(), at: .zero)
        let next = book.next(at: .zero)
        let delivery = try #require(next)
        #expect(delivery.attempt == 1)
        let verdict = book.finish(delivery, status == 0 ? .nothing : .status(status), at: .zero, using: &random)
        switch status {
        case 200..<300: #expect(verdict == .delivered && book.settled == ["1-0"])
        case 410: #expect(verdict == .givenUp && book.settled == ["1-0"])
        default: #expect(verdict.label == "retry" && book.settled.isEmpty)
        }
    }

    @Test("holds an event until it is acknowledged, 8 attempts long at most")
    func attempts() throws {
        var random = Generator(seed: 3)
        var book = DeliveryBook(mostHeld: 2, mostUnderway: 2)
        book.add(try .sample(), at: .zero)
        var now = Duration.zero
        for attempt in 1...8 {
            let next = book.next(at: now)
            let delivery = try #require(next)
            #expect(delivery.attempt == attempt)
            let none = book.next(at: now)
            #expect(none == nil && book.underway == 1)
            guard case .retry(let wait) = book.finish(delivery, .status(500), at: now, using: &random) else { break }
            let early = wait > .zero ? book.next(at: now + wait - .microseconds(1)) : nil
            #expect(early == nil)
            now += wait
        }
        let ninth = book.next(at: now + .seconds(1_000))
        #expect(book.settled == ["1-0"] && ninth == nil)
        book.add(try .sample(), at: now)
        #expect(book.ids == ["1-0"] && book.room == 1)
        book.forget(["1-0"])
        #expect(book.ids.isEmpty && book.room == 2)
    }

    @Test("has a bounded number under way, in the order in which they came")
    func order() throws {
        var random = Generator(seed: 4)
        var book = DeliveryBook(mostHeld: 5, mostUnderway: 2)
        for id in ["3-0", "1-0", "2-0"] { book.add(try .sample(id), at: .zero) }
        let taken = (0..<3).map { _ in book.next(at: .zero) }
        #expect(taken.map { $0?.id } == ["3-0", "1-0", nil])
        let first = try #require(taken[0])
        _ = book.finish(first, .status(200), at: .zero, using: &random)
        let third = book.next(at: .zero)
        #expect(third?.id == "2-0")
        book.add(EventStream.Entry(id: "4-0", fields: ["type": "else"]), at: .zero)
        #expect(book.settled == ["4-0", "3-0"] && book.room == 1)
    }
}

@Suite("A webhook's signature")
struct WebhookSecretTests {
    @Test("is that of the Standard Webhooks specification")
    func vector() throws {
        // From the specification's own libraries.
        let secret = try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let body = Array(#"{"test": 2432232314}"#.utf8)
        let signature = secret.signature(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: body)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("comes from base64 behind whsec_, or from any text")
    func forms() throws {
        let plain = try WebhookSecret("a secret")
        let encoded = try WebhookSecret("whsec_YSBzZWNyZXQ=")
        #expect(plain.signature(id: "a", timestamp: 1, body: []) == encoded.signature(id: "a", timestamp: 1, body: []))
        for text in ["", "whsec_", "whsec_!"] {
            #expect { try WebhookSecret(text) } throws: { ($0 as? LimiterError)?.code == .badRequest && !"\($0)".contains("!") }
        }
    }

    @Test("shows nothing of its key")
    func hidden() throws {
        let configuration = try WebhookConfiguration(url: "https://example.org/hook", secret: WebhookSecret("top secret"))
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("top secret") && !text.contains("116") && text.contains("hidden"))
        }
    }

    @Test("goes with a valid address alone", arguments: ["", "example.org", "ftp://example.org/", "https://", "/hook", "http:///x"])
    func badAddress(url: String) throws {
        let secret = try WebhookSecret("a")
        #expect(throws: LimiterError.self) { try WebhookConfiguration(url: url, secret: secret) }
    }
}
