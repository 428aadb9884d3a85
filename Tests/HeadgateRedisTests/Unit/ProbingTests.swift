import Headgate
import NIOCore
import NIOEmbedded
import Testing

@testable import HeadgateRedis

@Suite("A node that gives no answers")
struct ProbingTests {
    private let outcomes = Outcomes()

    /// A node whose connection stays however long it owes answers, and whose probes are calls with the nonce 1000.
    private func makeHarness(_ troubled: @escaping @Sendable () -> Void = {}) throws -> LaneHarness {
        let load = Load(.init())
        let harness = try LaneHarness {
            $0.stallTimeout = .seconds(60)
        } settings: { settings in
            settings.troubled = troubled
            settings.probe = { node in
                guard let share = try? load.take(decisions: 1, bytes: 1) else { return nil }
                let deadline = node.now + Breaker.probeInterval
                return Call(frame: Array("<1000>".utf8), expecting: .integers(count: 2, nonce: 1_000), deadline: deadline, share: share)
            }
        }
        try harness.start()
        return harness
    }

    /// Opens the breaker by five calls that find no answer.
    private func open(_ harness: LaneHarness) throws {
        for nonce in 1...5 { _ = try harness.call(Int64(nonce), outcomes: outcomes) }
        harness.loop.run()
        #expect(harness.node.settings.health.refusal == nil)
        harness.loop.advanceTime(by: .milliseconds(52))
        _ = try harness.sent()
    }

    /// How many probes were sent since the last look.
    private func probes(_ harness: LaneHarness) throws -> Int { try harness.sent().split(separator: "<").count }

    @Test("After five calls without an answer calls are refused at once, and say so as not charged")
    func refuses() throws {
        let harness = try makeHarness()
        try open(harness)
        #expect((1...5).allSatisfy { outcomes[Int64($0)] == "deadlineExceeded unknown" })
        _ = try harness.call(6, outcomes: outcomes)
        #expect(outcomes[6] == "deadlineExceeded notCharged", "before the loop has turned")
        #expect(!harness.node.isWell && harness.node.isUp)
    }

    @Test("Trouble of a second opens it, though there were few calls")
    func second() throws {
        let harness = try makeHarness()
        for (nonce, pause) in [(1, 600), (2, 600), (3, 100)] as [(Int64, Int64)] {
            #expect(harness.node.settings.health.refusal == nil)
            _ = try harness.call(nonce, outcomes: outcomes)
            harness.loop.run()
            harness.loop.advanceTime(by: .milliseconds(pause))
        }
        #expect(harness.node.settings.health.refusal?.code == .deadlineExceeded)
    }

    @Test("It is tried at most four times a second, and never less than three")
    func tries() throws {
        let harness = try makeHarness()
        try open(harness)
        for _ in 1...10 {
            for _ in 1...100 { harness.loop.advanceTime(by: .milliseconds(10)) }
            #expect((3...4).contains(try probes(harness)))
        }
    }

    @Test("The answer to a probe closes it, and nothing is tried any more")
    func closes() throws {
        let harness = try makeHarness()
        try open(harness)
        harness.loop.advanceTime(by: .milliseconds(300))
        #expect(try probes(harness) == 1)
        try harness.receive((1...5).map { "*2\r\n:\($0)\r\n:0\r\n" }.joined() + "*2\r\n:1000\r\n:0\r\n")
        #expect(harness.node.settings.health.refusal == nil)
        _ = try harness.call(7, outcomes: outcomes)
        harness.loop.run()
        #expect(try harness.sent() == "<7>")
        try harness.receive("*2\r\n:7\r\n:0\r\n")
        for _ in 1...100 { harness.loop.advanceTime(by: .milliseconds(10)) }
        #expect(try harness.sent().isEmpty)
    }

    @Test("A late answer to a call that was given up closes it, too")
    func lateAnswer() throws {
        let harness = try makeHarness()
        try open(harness)
        try harness.receive("*2\r\n:1\r\n:0\r\n")
        #expect(harness.node.settings.health.refusal == nil)
        #expect(outcomes[1] == "deadlineExceeded unknown")
    }

    @Test("Whoever knows of other servers hears of each failure")
    func hears() throws {
        let heard = Changeable(0)
        let harness = try makeHarness { heard.change { $0 += 1 } }
        try open(harness)
        #expect(heard.value == 5)
    }

    @Test("A master that is elsewhere now is dialled at once, whatever failed where it was")
    func moved() throws {
        let (old, new) = (RedisEndpoint.host("10.0.0.1", port: 1), RedisEndpoint.host("10.0.0.2", port: 1))
        let harness = try LaneHarness()
        harness.lead(to: old)
        try harness.start()
        harness.fail(with: LimiterError(.connect, "no"))
        harness.channel.pipeline.fireChannelInactive()
        for _ in 1...300 { harness.loop.advanceTime(by: .milliseconds(10)) }
        harness.fail(with: nil)
        harness.node.move(to: old)
        harness.loop.run()
        #expect(harness.dials == 1, "it is where it was: the back-off holds")
        harness.lead(to: new)
        harness.node.move(to: new)
        harness.loop.run()
        #expect(harness.dials == 2)
        try harness.greet()
        harness.node.move(to: new)
        harness.loop.run()
        #expect(harness.node.isUp && harness.dials == 2)
        harness.lead(to: old)
        harness.node.move(to: old)
        harness.loop.run()
        #expect(!harness.node.isUp, "a connection to the deposed one is left")
    }
}
