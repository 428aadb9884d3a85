import Headgate
import Logging
import NIOCore
import Testing

@testable import HeadgateRedis

@Suite("Whether a node is asked")
struct HealthTests {
    private static let trouble = LimiterError(.deadlineExceeded, "no answer", charge: .unknown)

    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds) }

    private func makeHealth(_ unfitness: LimiterError? = nil) -> NodeHealth {
        NodeHealth(name: "test", telemetry: RedisTelemetry(logger: Logger(label: "test")), unfitness: unfitness)
    }

    @Test("Five failures in a row open the breaker, however fast they come; calls are refused as not charged")
    func five() {
        var breaker = Breaker()
        let opened = (1...6).map { _ in breaker.failed(Self.trouble, at: at(0)) }
        #expect(opened == [false, false, false, false, true, false])
        #expect(breaker.refusal?.code == .deadlineExceeded && breaker.refusal?.charge == .notCharged)
    }

    @Test("Failures with nothing else between them for a second open it, and one alone never does")
    func second() {
        var breaker = Breaker()
        let opened = [
            breaker.failed(Self.trouble, at: at(0)), breaker.failed(Self.trouble, at: at(999)), breaker.failed(Self.trouble, at: at(1_000)),
        ]
        #expect(opened == [false, false, true])
        var alone = Breaker()
        let early = alone.failed(Self.trouble, at: at(0))
        _ = alone.answered()
        let late = alone.failed(Self.trouble, at: at(5_000))
        #expect(!early && !late && alone.refusal == nil)
    }

    @Test("Any answer closes it, and the count begins anew")
    func answer() {
        var breaker = Breaker()
        for _ in 1...4 { _ = breaker.failed(Self.trouble, at: at(0)) }
        let closedNothing = breaker.answered()
        for _ in 1...4 { _ = breaker.failed(Self.trouble, at: at(1)) }
        #expect(!closedNothing && breaker.refusal == nil && breaker.isTroubled)
        let opened = breaker.failed(Self.trouble, at: at(2))
        let closed = breaker.answered()
        #expect(opened && closed && breaker.refusal == nil && !breaker.isTroubled)
    }

    @Test("What is one call's own fault says nothing of the node")
    func faults() {
        let health = makeHealth()
        for code in [LimiterError.Code.script, .crossSlot, .badRequest, .cancelled, .overloaded, .closed, .tooManyRedirects] {
            for _ in 1...9 { #expect(!health.failed(LimiterError(code, ""), at: at(0))) }
        }
        #expect(health.refusal == nil)
    }

    @Test("An unfit server is refused whatever it answers, and its breaker beside")
    func fitness() {
        let unsafe = LimiterError(.unsafeEviction, "")
        let health = makeHealth(unsafe)
        #expect(health.refusal?.code == .unsafeEviction)
        health.answered()
        #expect(health.refusal?.code == .unsafeEviction)
        for _ in 1...5 { _ = health.failed(Self.trouble, at: at(0)) }
        health.fitness(nil)
        #expect(health.refusal?.code == .deadlineExceeded, "fit, and gone")
        health.answered()
        #expect(health.refusal == nil)
        health.fitness(unsafe)
        #expect(health.refusal?.code == .unsafeEviction)
    }

    @Test("A clock that steps is told from one that drifts, and from answers that take long")
    func clock() {
        var clock = ClockWatch()
        func step(_ time: Int64, _ sent: Int64, _ received: Int64) -> ClockWatch.Step? {
            clock.step(time, sentAt: .uptimeNanoseconds(UInt64(sent) * 1_000), receivedAt: .uptimeNanoseconds(UInt64(received) * 1_000))
        }
        #expect(step(1_000_000_000, 1_000_000, 1_001_000) == nil, "nothing to compare with")
        #expect(step(1_000_500_000, 1_500_000, 1_501_000) == nil)
        #expect(step(1_001_300_000, 2_000_000, 2_301_000) == nil, "it may have been read at any time of the call")
        #expect(step(4_601_500_000, 2_500_000, 2_501_000) == .forward)
        #expect(step(4_602_000_000, 3_000_000, 3_001_000) == nil, "once a step")
        #expect(step(1_002_500_000, 3_500_000, 3_501_000) == .backward)
        #expect(step(1_003_200_000, 4_000_000, 4_001_000) == nil, "0.2 s apart")
        #expect(step(1_003_300_000, 4_500_000, 4_400_000) == .backward, "received before it was sent: the same instant")
    }

    @Test("A server's INFO is read by its fields")
    func info() {
        let info = ServerInfo("# Server\r\nrun_id:abc\r\nevicted_keys:17\r\nmaxmemory_policy:allkeys-lru\r\nno colon\r\n:\r\nos:a:b\r\n")
        #expect(info.runID == "abc" && info.evictedKeys == 17)
        #expect(info.unsafeEviction?.code == .unsafeEviction)
        #expect(ServerInfo("maxmemory_policy:noeviction\n").unsafeEviction == nil)
        let empty = ServerInfo("")
        #expect(empty.runID == nil && empty.evictedKeys == nil && empty.unsafeEviction == nil)
        #expect(ServerInfo("evicted_keys:1e9\nmaxmemory_policy:x\u{1b}[0m").unsafeEviction?.message.contains("\u{1b}") == false)
    }

    @Test("There are as many instances as were seen of late, and one at least")
    func instances() {
        var view = NodeView()
        #expect(view.count(3, at: at(0)) == 3)
        #expect(view.count(1, at: at(4_000)) == 3, "they come back one by one")
        #expect(view.count(2, at: at(5_100)) == 2)
        #expect(view.count(0, at: at(20_000)) == 1)
    }
}
