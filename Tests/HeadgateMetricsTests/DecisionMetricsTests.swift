import Headgate
import HeadgateMetrics
import HeadgateTesting
import MetricsTestKit
import Testing

/// A store that gives no answer.
private struct AwayStore: LimitStore {
    let error = LimiterError(.connect, "refused")

    func decide(_ decisions: [StoreDecision]) async throws(LimiterError) -> StoreReply { throw error }
    func refund(_ receipts: [Receipt]) async throws(LimiterError) -> [Int64] { throw error }
    func renew(_ lease: Lease) async throws(LimiterError) { throw error }
    func release(_ lease: Lease) async throws(LimiterError) -> LeaseEnd { throw error }
    func abandon(_ lease: Lease) {}
    func reset(_ identity: Identity, _ limits: [Limit]) async throws(LimiterError) { throw error }
}

@Suite("Metrics of decisions")
struct DecisionMetricsTests {
    let factory = TestMetrics()
    let clock = ManualClock()
    let acme: Identity

    init() throws { acme = try Identity(.account, "acme") }

    func limiter(_ store: any LimitStore) -> Limiter {
        Limiter(store: store, clock: clock, observers: [DecisionMetrics(factory: factory, clock: clock)])
    }

    func limit(_ id: String, _ units: Int64 = 1, _ policy: FailurePolicy = .open, _ mode: Limit.Mode = .enforced) throws -> Limit {
        try Limit(id, .fixedWindow(units, per: .seconds(60)), onRedisFailure: policy, mode: mode)
    }

    /// What was counted, as `limit outcome reason`.
    func counts() -> [String: Int64] {
        let counters = factory.counters.filter { $0.label == "headgate_decisions_total" }
        return Dictionary(uniqueKeysWithValues: counters.map { ($0.dimensions.map(\.1).joined(separator: " "), $0.totalValue) })
    }

    @Test("count what the store allowed and denied, by the limit that the answer is about; a peek counts nothing")
    func judged() async throws {
        let limiter = limiter(MemoryStore(clock: clock))
        for _ in 0..<3 { _ = try await limiter.acquire(for: acme, limits: [limit("read")]) }
        _ = try await limiter.peek(for: acme, limits: [limit("read")])
        #expect(counts() == ["read allowed none": 1, "read denied none": 2])
    }

    @Test("count limits in shadow mode that would have denied beside the decision")
    func shadow() async throws {
        let limiter = limiter(MemoryStore(clock: clock))
        for _ in 0..<3 { _ = try await limiter.acquire(for: acme, limits: [limit("read", 10), limit("trial", 1, .open, .shadow)]) }
        #expect(counts() == ["read allowed none": 3, "trial shadow_denied none": 2])
    }

    @Test("tell the failure policies apart, with the reason")
    func degraded() async throws {
        let limiter = limiter(AwayStore())
        _ = try await limiter.acquire(for: acme, limits: [limit("open")])
        _ = try await limiter.acquire(for: acme, limits: [limit("closed", 1, .closed)])
        for _ in 0..<2 { _ = try await limiter.acquire(for: acme, limits: [limit("local", 1, .local)]) }
        _ = try await limiter.acquire(for: acme, limits: [limit("zero", 0)])
        #expect(
            counts() == [
                "none failopen_allowed connect": 1, "none failclosed_denied connect": 1, "none local_allowed connect": 1,
                "local local_denied connect": 1, "zero denied connect": 1,
            ]
        )
    }

    @Test("add up the time from each decision without the store to the next")
    func time() async throws {
        let metrics = DecisionMetrics(factory: factory, clock: clock)
        let away = Decision(outcome: .allowed, limits: [], time: nil, degradation: LimiterError(.connect, ""))
        let answered = Decision(outcome: .allowed, limits: [], time: nil)
        for decision in [answered, away, away, answered, answered, away] {
            metrics.observe(decision)
            clock.advance(by: .seconds(10))
        }
        #expect(try factory.expectCounter("headgate_degraded_seconds_total").totalValue == 20)
    }

    @Test("have a bounded number of labels, whatever ids limits have")
    func bounded() async throws {
        let limiter = limiter(MemoryStore(clock: clock))
        for number in 0..<1_500 { _ = try await limiter.acquire(for: acme, limits: [limit("id\(number)")]) }
        #expect(counts().count == 1_001 && counts()["other allowed none"] == 500)
    }
}
