import Headgate
import NIOCore
import NIOEmbedded
import Testing

@testable import HeadgateRedis

@Suite("A lane whose decisions travel together")
struct PackedLaneTests {
    private let outcomes = Outcomes()
    private let calls: CallMaker

    init() throws {
        calls = CallMaker(script: try RedisScript("return 1"), keys: try KeySpace(prefix: "hg"), load: Load(.init()), isCluster: false)
    }

    private func makeHarness() throws -> LaneHarness {
        let calls = calls
        return try LaneHarness {
            $0.stallTimeout = .seconds(60)
        } settings: {
            $0.calls = calls
        }
    }

    /// Submits a decision on a subject, and notes its outcome under a number.
    @discardableResult
    private func decide(
        _ number: Int64,
        on name: String = "hot",
        _ harness: LaneHarness,
        within time: TimeAmount = .milliseconds(50)
    ) throws -> Call {
        let decision = StoreDecision(charges: [try Charge.counted(name)])
        let call = try calls.call(decision, by: harness.loop.now + time)
        let outcomes = outcomes
        #expect(call.begin { outcomes.note(number, $0) })
        harness.node.submit(Attempt(call))
        return call
    }

    /// Sends the decisions 0 and 1, each in a call of its own; returns the calls.
    private func putTwoUnderWay(_ harness: LaneHarness) throws -> [String] {
        try ["a", "b"].enumerated().map { number, name in
            try decide(Int64(number), on: name, harness, within: .seconds(5))
            harness.loop.run()
            return try harness.sent()
        }
    }

    /// What the script says to the call that was sent: all of so many equal decisions are granted.
    private func grant(_ sent: String, _ count: Int, _ harness: LaneHarness) throws {
        let lines = sent.split(separator: "\r\n").map(String.init)
        let place = try #require(lines.firstIndex(of: "decide"))
        let nonce = lines[place - 2]
        #expect(lines[place + 4] == "\(count)", "\(sent)")
        try harness.receive("*9\r\n:\(nonce)\r\n:1763782569123456\r\n:\(count)\r\n:\(count)\r\n:9\r\n:0\r\n:0\r\n:0\r\n:0\r\n")
    }

    @Test("What was never sent was certainly not charged: without run(), and while there is no connection")
    func unsent() throws {
        let harness = try makeHarness()
        try decide(1, harness)
        try decide(2, harness)
        harness.loop.run()
        harness.loop.advanceTime(by: .milliseconds(51))
        #expect(outcomes[1] == "closed notCharged" && outcomes[2] == "closed notCharged")
        harness.begin()
        try decide(3, harness)
        harness.loop.run()
        harness.loop.advanceTime(by: .milliseconds(51))
        #expect(outcomes[3] == "deadlineExceeded notCharged")
    }

    @Test("Decisions that waited for the connection go together, without those whose callers have gone")
    func together() throws {
        let harness = try makeHarness()
        harness.begin()
        for number in 1...3 { try decide(Int64(number), harness) }
        let gone = try decide(4, harness)
        harness.loop.run()
        gone.giveUp(.cancelled, "gone")
        #expect(outcomes[4] == "cancelled notCharged")
        try harness.greet()
        try grant(try harness.sent(), 3, harness)
        #expect((1...3).allSatisfy { outcomes[Int64($0)] == "ok" })
    }

    @Test("Equal decisions wait for the one under way, and go as one when it has its answer")
    func parked() throws {
        let harness = try makeHarness()
        try harness.start()
        try decide(1, harness)
        harness.loop.run()
        let first = try harness.sent()
        for number in 2...4 { try decide(Int64(number), harness) }
        harness.loop.run()
        #expect(try harness.sent() == "")
        try grant(first, 1, harness)
        #expect(outcomes[1] == "ok" && outcomes[2] == "waits")
        try grant(try harness.sent(), 3, harness)
        #expect((2...4).allSatisfy { outcomes[Int64($0)] == "ok" })
    }

    @Test("When the connection breaks, what was sent is unknown, and who waited for it goes with the next one")
    func broken() throws {
        let harness = try makeHarness()
        try harness.start()
        try decide(1, harness, within: .seconds(5))
        harness.loop.run()
        _ = try harness.sent()
        for number in 2...3 { try decide(Int64(number), harness, within: .seconds(5)) }
        harness.loop.run()
        harness.loop.advanceTime(by: .seconds(2))
        harness.channel.pipeline.fireChannelInactive()
        harness.loop.run()
        #expect(outcomes[1] == "connect unknown" && outcomes[2] == "waits")
        #expect(harness.dials == 2)
        try harness.greet()
        try grant(try harness.sent(), 2, harness)
        #expect(outcomes[2] == "ok" && outcomes[3] == "ok")
    }

    @Test("When an answer never comes, those who waited for it are given up unsent, and the subject is asked for again")
    func silent() throws {
        let harness = try makeHarness()
        try harness.start()
        try decide(1, harness)
        harness.loop.run()
        _ = try harness.sent()
        harness.loop.advanceTime(by: .milliseconds(20))
        try decide(2, harness)
        harness.loop.run()
        harness.loop.advanceTime(by: .milliseconds(31))
        #expect(outcomes[1] == "deadlineExceeded unknown")
        harness.loop.advanceTime(by: .milliseconds(25))
        #expect(outcomes[2].hasPrefix("deadlineExceeded"))
        try decide(3, harness)
        harness.loop.run()
        #expect(try harness.sent().contains("decide"))
    }

    @Test("While two calls are under way, decisions of others wait for an answer and then go together, or until they fill a call")
    func company() throws {
        let harness = try makeHarness()
        try harness.start()
        let sent = try putTwoUnderWay(harness)
        #expect(sent.allSatisfy { $0.contains("decide") })
        for number in 2...4 { try decide(Int64(number), on: "c\(number)", harness) }
        harness.loop.run()
        #expect(try harness.sent() == "")
        try grant(sent[0], 1, harness)
        let together = try harness.sent()
        #expect((2...4).allSatisfy { together.contains("{a:c\($0)}") })
        for number in 5..<5 + ScriptCall.mostDecisions - 1 { try decide(Int64(number), on: "d\(number)", harness) }
        harness.loop.run()
        #expect(try harness.sent() == "")
        try decide(100, on: "last", harness)
        harness.loop.run()
        #expect(try harness.sent().contains("{a:last}"))
    }

    @Test("Who waits for company is given up unsent at the deadline, and goes with the next connection when this one breaks")
    func companyLost() throws {
        let harness = try makeHarness()
        try harness.start()
        _ = try putTwoUnderWay(harness)
        try decide(2, on: "c", harness)
        try decide(3, on: "d", harness, within: .seconds(5))
        harness.loop.run()
        harness.loop.advanceTime(by: .milliseconds(51))
        #expect(outcomes[2] == "deadlineExceeded notCharged" && outcomes[3] == "waits")
        harness.loop.advanceTime(by: .seconds(2))
        harness.channel.pipeline.fireChannelInactive()
        harness.loop.run()
        try harness.greet()
        #expect(try harness.sent().contains("{a:d}"))
    }
}
