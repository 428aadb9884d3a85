import EmbeddedRedis
import Headgate
import HeadgateRedis
import Logging
import ServiceLifecycle
import Synchronization

@testable import HeadgateEvents

extension StoreTime {
    /// 2026-11-24T21:45:00Z.
    static let sample = StoreTime(microseconds: 1_795_556_700_000_000)
}

extension Identity {
    static func acme() throws -> Identity { try Identity(.account, "acme") }
}

/// The status of a limit.
func status(
    _ id: String = "read",
    limit: Int64 = 10,
    remaining: Int64,
    window: Duration = .seconds(3_600),
    verdict: LimitStatus.Verdict = .allowed,
    reserve: Int64 = 0,
    retryAfter: Duration? = .zero
) throws -> LimitStatus {
    LimitStatus(
        id: id,
        name: "\(id)_operations",
        role: .operationClass,
        verdict: verdict,
        algorithm: try .fixedWindow(limit, per: window),
        remaining: remaining,
        reserve: reserve,
        nextUnit: .seconds(900),
        retryAfter: retryAfter
    )
}

/// A decision with these limits.
func decision(_ limits: LimitStatus..., at time: StoreTime? = .sample) -> Decision {
    Decision(outcome: limits.contains { $0.verdict == .denied } ? .denied : .allowed, limits: limits, time: time)
}

extension LimitEvent {
    /// An event as the stream holds it.
    static func sample(account: String = "acme") throws -> LimitEvent {
        let status = try status(remaining: 2)
        let key = Crossing.Key(identity: try Identity(.account, account), limit: "read", percent: 80)
        guard let use = LimitUse(status) else { throw LimiterError(.badRequest, "no use") }
        return LimitEvent(Crossing(key: key, status: status, use: use, time: .sample))
    }
}

extension EventStream.Entry {
    /// An entry of the stream with an event in it.
    static func sample(_ id: String = "1-0") throws -> EventStream.Entry {
        let fields = try LimitEvent.sample().fields
        let pairs = stride(from: 0, to: fields.count, by: 2).map { (fields[$0], fields[$0 + 1]) }
        return EventStream.Entry(id: id, fields: Dictionary(uniqueKeysWithValues: pairs))
    }
}

/// Runs a body while a store of a server runs.
func withStore<Result: Sendable>(
    _ server: RedisServer,
    _ body: @Sendable (RedisStore) async throws -> Result
) async throws -> Result {
    let store = try RedisStore.of(server)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(store)) } catch { result = .failure(error) }
        group.cancelAll()
        try await group.waitForAll()
        return try result.get()
    }
}

extension RedisStore {
    /// A store for tests on a busy machine.
    static func of(_ server: RedisServer) throws -> RedisStore {
        var configuration = try RedisConfiguration(url: server.url)
        configuration.deadline = .seconds(5)
        return try RedisStore(configuration)
    }

    /// The events in the stream, oldest first.
    func events() async throws -> [[String: String]] {
        (try await command(["XRANGE", EventStream.key(in: self), "-", "+"]).elements ?? []).map { entry in
            let texts = (entry.elements?.last?.elements ?? []).map { $0.text ?? "" }
            return Dictionary(uniqueKeysWithValues: stride(from: 0, to: texts.count, by: 2).map { (texts[$0], texts[$0 + 1]) })
        }
    }

    /// How many events are read and not acknowledged.
    func pending() async throws -> Int64? {
        try await command(["XPENDING", EventStream.key(in: self), EventStream.group]).elements?.first?.integer
    }

    /// Puts events into the stream.
    func add(_ events: LimitEvent...) async throws {
        for event in events { _ = try await command(["XADD", EventStream.key(in: self), "*"] + event.fields) }
    }
}

/// A receiver that answers as it is told, and keeps what it was sent.
final class FakeReceiver: WebhookSender {
    private let state: Mutex<(messages: [WebhookMessage], answers: [WebhookAnswer])>
    private let delay: Duration

    /// The last answer is given for good.
    init(_ answers: WebhookAnswer..., after delay: Duration = .zero) {
        state = Mutex(([], answers))
        self.delay = delay
    }

    var messages: [WebhookMessage] { state.withLock { $0.messages } }

    func send(_ message: WebhookMessage) async -> WebhookAnswer {
        let answer = state.withLock { state in
            state.messages.append(message)
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
        }
        if delay > .zero { try? await Task.sleep(for: delay) }
        return answer
    }
}

/// A logger that says nothing.
let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Runs services until the body is done, then shuts them down gracefully.
func withServices(_ services: [any Service], _ body: @Sendable () async throws -> Void) async throws {
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: quiet))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        try result.get()
    }
}

/// A delivery by a fake receiver, as a service.
struct FakeDelivery: Service {
    let delivery: WebhookDelivery
    let receiver: FakeReceiver

    func run() async throws { await delivery.deliver(by: receiver) }
}

/// Waits until something is so, at most a few seconds.
func eventually(within limit: Duration = .seconds(10), _ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}
