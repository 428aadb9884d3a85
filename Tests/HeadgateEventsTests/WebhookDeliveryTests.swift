import Headgate
import HeadgateJSON
import HeadgateRedis
import HeadgateTesting
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import HeadgateEvents

@Suite("Webhooks on a real Redis", .serialized, .exclusive)
struct WebhookDeliveryTests {
    private func configuration(_ url: String = "http://127.0.0.1:1/", takeover: Duration = .seconds(60)) throws -> WebhookConfiguration {
        var configuration = try WebhookConfiguration(url: url, secret: WebhookSecret("a secret"))
        configuration.takeover = takeover
        configuration.interval = .milliseconds(20)
        configuration.schedule = RetrySchedule(base: .milliseconds(50))
        return configuration
    }

    /// Whether something is so, and nothing is pending any more.
    private func isDone(_ condition: Bool, _ store: RedisStore) async throws -> Bool {
        guard condition else { return false }
        return try await store.pending() == 0
    }

    /// What a real receiver got.
    private final class Inbox: Sendable {
        struct Letter: Sendable {
            var headers: [String: String]
            var body: [UInt8]
        }
        let letters = Mutex<[Letter]>([])

        /// Keeps a request; the first two fail.
        func receive(_ request: Request) async throws -> HTTPResponse.Status {
            let buffer = try await request.body.collect(upTo: 65_536)
            let headers = Dictionary(request.headers.map { ($0.name.canonicalName, $0.value) }) { $1 }
            let count = letters.withLock { letters in
                letters.append(Letter(headers: headers, body: Array(buffer.readableBytesView)))
                return letters.count
            }
            return count <= 2 ? .internalServerError : .noContent
        }
    }

    @Test("reach a real receiver that fails twice, signed, and once it has said yes no more")
    func realReceiver() async throws {
        let inbox = Inbox()
        let port = Mutex(0)
        let router = Router()
        router.post("hook") { request, _ in try await inbox.receive(request) }
        let receiver = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.withLock { $0 = channel.localAddress?.port ?? 0 } },
            logger: quiet
        )
        try await withRedisServer { server in
            try await withServices([receiver]) {
                #expect(try await eventually { port.withLock { $0 } > 0 })
                let store = try RedisStore.of(server)
                let delivery = WebhookDelivery(store, try configuration("http://127.0.0.1:\(port.withLock { $0 })/hook"), logger: quiet)
                try await withServices([store, delivery]) {
                    try await store.add(try .sample())
                    #expect(try await eventually { try await isDone(inbox.letters.withLock(\.count) == 3, store) })
                    try await Task.sleep(for: .milliseconds(300))
                }
            }
        }
        let letters = inbox.letters.withLock { $0 }
        #expect(letters.count == 3)
        #expect(Set(letters.map { $0.headers["webhook-id"] }).count == 1)
        let secret = try WebhookSecret("a secret")
        for letter in letters {
            let id = try #require(letter.headers["webhook-id"])
            let timestamp = try #require(letter.headers["webhook-timestamp"].flatMap { Int64($0) })
            #expect(abs(timestamp - StoreTime.now.microseconds / 1_000_000) < 60)
            #expect(letter.headers["webhook-signature"] == secret.signature(id: id, timestamp: timestamp, body: letter.body))
            #expect(letter.headers["content-type"] == "application/json")
            #expect(try JSONParser.parse(letter.body) == (try LimitEvent.sample().json(id: id)))
        }
    }

    @Test("are taken over from an instance that dies with them, once they were left for a time")
    func takeover() async throws {
        try await withRedisServer { server in
            try await withStore(server) { store in
                let dead = EventStream(store: store, consumer: "dead")
                try await dead.createGroup()
                try await store.add(try .sample())
                #expect(try await dead.read(10).count == 1)
                let receiver = FakeReceiver(.status(200))
                let delivery = WebhookDelivery(store, try configuration(takeover: .milliseconds(600)), logger: quiet)
                try await withServices([FakeDelivery(delivery: delivery, receiver: receiver)]) {
                    try await Task.sleep(for: .milliseconds(300))
                    #expect(receiver.messages.isEmpty)
                    #expect(try await eventually { receiver.messages.count == 1 })
                    #expect(try await eventually { try await store.pending() == 0 })
                }
                #expect(receiver.messages.count == 1)
            }
        }
    }

    @Test("are not taken over while an instance that lives waits to send them again")
    func held() async throws {
        try await withRedisServer { server in
            try await withStore(server) { store in
                let receivers = [FakeReceiver(.status(500)), FakeReceiver(.status(200))]
                var slow = try configuration(takeover: .milliseconds(600))
                slow.schedule = RetrySchedule(base: .seconds(3_600), cap: .seconds(3_600))
                let first = WebhookDelivery(store, slow, logger: quiet)
                let second = WebhookDelivery(store, slow, logger: quiet)
                try await store.add(try .sample())
                try await withServices([FakeDelivery(delivery: first, receiver: receivers[0])]) {
                    #expect(try await eventually { receivers[0].messages.count == 1 })
                    try await withServices([FakeDelivery(delivery: second, receiver: receivers[1])]) {
                        try await Task.sleep(for: .milliseconds(1_500))
                        #expect(receivers[1].messages.isEmpty)
                    }
                }
                // The first is gone now, and has left it.
                #expect(try await store.pending() == 1)
                let third = WebhookDelivery(store, slow, logger: quiet)
                try await withServices([FakeDelivery(delivery: third, receiver: receivers[1])]) {
                    let isTaken = try await eventually { receivers[1].messages.count == 1 }
                    #expect(isTaken)
                }
                #expect(receivers[0].messages[0].headers["webhook-id"] == receivers[1].messages[0].headers["webhook-id"])
                // Who has left with nothing pending is out of the group.
                let group = try await store.command(["XINFO", "CONSUMERS", EventStream.key(in: store), EventStream.group])
                #expect(group.elements?.count == 1)
            }
        }
    }

    @Test("are given up after 8 attempts or a 410, and go on after the database was emptied")
    func givenUpAndFlushed() async throws {
        try await withRedisServer { server in
            try await withStore(server) { store in
                let receiver = FakeReceiver(.status(410), .nothing)
                let delivery = WebhookDelivery(store, try configuration(), logger: quiet)
                try await withServices([FakeDelivery(delivery: delivery, receiver: receiver)]) {
                    try await store.add(try .sample())
                    #expect(try await eventually { try await isDone(receiver.messages.count == 1, store) })
                    _ = try await store.command(["FLUSHALL"])
                    try await store.add(try .sample(account: "other"))
                    #expect(try await eventually(within: .seconds(30)) { try await isDone(receiver.messages.count == 9, store) })
                    try await Task.sleep(for: .milliseconds(200))
                }
                #expect(receiver.messages.count == 9)
            }
        }
    }

    @Test("finish at a shutdown when they are under way and soon answered; the rest stays for another instance")
    func shutdown() async throws {
        try await withRedisServer { server in
            try await withStore(server) { store in
                for _ in 0..<300 { try await store.add(try .sample()) }
                let prompt = FakeReceiver(.status(200), after: .milliseconds(500))
                var delivery = WebhookDelivery(store, try configuration(), logger: quiet)
                try await withServices([FakeDelivery(delivery: delivery, receiver: prompt)]) {
                    let isUnderway = try await eventually { prompt.messages.count == 8 }
                    #expect(isUnderway)
                }
                #expect(prompt.messages.count == 8)
                #expect(try await store.pending() == 248)
                let slow = FakeReceiver(.status(200), after: .seconds(60))
                delivery = WebhookDelivery(store, try configuration(), logger: quiet)
                let start = ContinuousClock.now
                try await withServices([FakeDelivery(delivery: delivery, receiver: slow)]) {
                    let isUnderway = try await eventually { slow.messages.count == 8 }
                    #expect(isUnderway)
                }
                #expect(start.duration(to: .now) < .seconds(10))
                #expect(try await store.pending() == 292)
                let last = FakeReceiver(.status(200))
                delivery = WebhookDelivery(store, try configuration(takeover: .milliseconds(100)), logger: quiet)
                try await withServices([FakeDelivery(delivery: delivery, receiver: last)]) {
                    let isEmpty = try await eventually { try await isDone(last.messages.count >= 292, store) }
                    #expect(isEmpty)
                }
                #expect(Set(last.messages.map { $0.headers["webhook-id"] }).count == 292)
            }
        }
    }

    @Test("follow no redirect, and wait no longer than they may")
    func sender() async throws {
        let port = Mutex(0)
        let visits = Mutex(0)
        let router = Router()
        router.post("elsewhere") { _, _ in
            visits.withLock { $0 += 1 }
            return HTTPResponse.Status.ok
        }
        router.post("redirect") { _, _ in Response.redirect(to: "/elsewhere", type: .temporary) }
        router.post("slow") { _, _ in
            try await Task.sleep(for: .seconds(2))
            return HTTPResponse.Status.ok
        }
        let receiver = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.withLock { $0 = channel.localAddress?.port ?? 0 } },
            logger: quiet
        )
        try await withServices([receiver]) {
            let isRunning = try await eventually { port.withLock { $0 } > 0 }
            #expect(isRunning)
            let secret = try WebhookSecret("a secret")
            let message = WebhookMessage(try .sample(), entry: "1-0", at: .now, signedWith: secret)
            for (path, answer) in [("redirect", WebhookAnswer.status(307)), ("slow", .nothing), ("none", .status(404))] {
                var configuration = try WebhookConfiguration(url: "http://127.0.0.1:\(port.withLock { $0 })/\(path)", secret: secret)
                configuration.timeout = .milliseconds(500)
                try await HTTPWebhookSender.withSender(to: configuration) { #expect(await $0.send(message) == answer) }
            }
            #expect(visits.withLock { $0 } == 0)
            var nobody = try WebhookConfiguration(url: "http://127.0.0.1:1/", secret: secret)
            nobody.timeout = .milliseconds(200)
            try await HTTPWebhookSender.withSender(to: nobody) { #expect(await $0.send(message) == .nothing) }
        }
    }
}
