import Headgate
import NIOCore
import NIOEmbedded
import Testing

@testable import HeadgateRedis

@Suite("A lane")
struct LaneTests {
    private let outcomes = Outcomes()

    @Test("Calls of one turn of the loop are one flush, and their answers one read")
    func batches() throws {
        let harness = try LaneHarness()
        try harness.start()
        for nonce in 1...100 { _ = try harness.call(Int64(nonce), outcomes: outcomes) }
        harness.loop.run()
        #expect(try harness.flushes() == [(1...100).map { "<\($0)>" }.joined()])
        try harness.receive((1...100).map { "*2\r\n:\($0)\r\n:0\r\n" }.joined())
        #expect((1...100).allSatisfy { outcomes[$0] == "ok" })
        #expect(harness.load.decisions == 0)
    }

    @Test("Answers may come in any pieces")
    func pieces() throws {
        let text = "*2\r\n:1\r\n:0\r\n-OOM no\r\n*2\r\n:3\r\n:0\r\n"
        for cut in 0...text.utf8.count {
            let (harness, outcomes) = (try LaneHarness(), Outcomes())
            try harness.start()
            for nonce in 1...3 { _ = try harness.call(Int64(nonce), outcomes: outcomes) }
            harness.loop.run()
            try harness.receive(String(decoding: text.utf8.prefix(cut), as: UTF8.self))
            try harness.receive(String(decoding: text.utf8.dropFirst(cut), as: UTF8.self))
            #expect([outcomes[1], outcomes[2], outcomes[3]] == ["ok", "outOfMemory notCharged", "ok"])
        }
    }

    @Test("Who gave up or expired before the sending is never sent")
    func neverSent() throws {
        let harness = try LaneHarness()
        try harness.start()
        let calls = try (1...3).map { try harness.call($0, outcomes: outcomes) }
        calls[1].giveUp(.cancelled, "")
        #expect(outcomes[2] == "cancelled notCharged")
        harness.loop.run()
        #expect(try harness.sent() == "<1><3>")
        _ = try harness.call(4, within: .zero, outcomes: outcomes)
        _ = try harness.call(5, outcomes: outcomes)
        harness.loop.run()
        #expect(outcomes[4] == "deadlineExceeded notCharged")
        #expect(try harness.sent() == "<5>")
    }

    @Test("A late answer to a caller who has gone disturbs nobody")
    func lateAnswer() throws {
        let harness = try LaneHarness()
        try harness.start()
        let calls = try (1...2).map { try harness.call($0, outcomes: outcomes) }
        harness.loop.run()
        calls[0].giveUp(.cancelled, "")
        #expect(outcomes[1] == "cancelled unknown")
        try harness.receive("*2\r\n:1\r\n:0\r\n*2\r\n:2\r\n:0\r\n")
        #expect(outcomes[1] == "cancelled unknown")
        #expect(outcomes[2] == "ok")
        #expect(harness.dials == 1)
    }

    @Test("Each deadline is kept, also when a later call's comes first")
    func deadlines() throws {
        let harness = try LaneHarness()
        try harness.start()
        _ = try harness.call(1, within: .milliseconds(100), outcomes: outcomes)
        harness.loop.run()
        _ = try harness.call(2, within: .milliseconds(20), outcomes: outcomes)
        harness.loop.run()
        harness.loop.advanceTime(by: .milliseconds(22))
        #expect([outcomes[1], outcomes[2]] == ["waits", "deadlineExceeded unknown"])
        harness.loop.advanceTime(by: .milliseconds(80))
        #expect(outcomes[1] == "deadlineExceeded unknown")
        #expect(harness.load.decisions == 2, "their answers are still owed")
        harness.loop.advanceTime(by: .seconds(2))
        #expect(harness.load.decisions == 0, "the stalled connection is given up")
    }

    @Test("A server that is far behind, and goes on answering, has not stalled")
    func behindAndAnswering() throws {
        let harness = try LaneHarness()
        try harness.start()
        for nonce in 1...3 { _ = try harness.call(Int64(nonce), outcomes: outcomes) }
        harness.loop.run()
        harness.loop.advanceTime(by: .milliseconds(1_500))
        try harness.receive("*2\r\n:1\r\n:0\r\n")
        harness.loop.advanceTime(by: .seconds(1))
        #expect(harness.load.decisions == 2, "2.5 s after the calls, 1 s after an answer")
        try harness.receive("*2\r\n:2\r\n:0\r\n")
        harness.loop.advanceTime(by: .milliseconds(1_900))
        #expect(harness.load.decisions == 1)
        harness.loop.advanceTime(by: .milliseconds(200))
        #expect(harness.load.decisions == 0, "2 s without an answer")
    }

    @Test("A lost connection: what was sent is unknown and is never sent again, what waits goes to the next one")
    func lostConnection() throws {
        let harness = try LaneHarness()
        try harness.start()
        harness.loop.advanceTime(by: .seconds(2))
        _ = try harness.call(1, within: .seconds(1), outcomes: outcomes)
        harness.loop.run()
        #expect(try harness.sent() == "<1>")
        _ = try harness.call(2, within: .seconds(1), outcomes: outcomes)
        harness.channel.pipeline.fireChannelInactive()
        #expect(outcomes[1] == "connect unknown")
        #expect(outcomes[2] == "waits")
        harness.loop.run()
        #expect(harness.dials == 2)
        try harness.greet()
        #expect(try harness.sent() == "<2>")
    }

    @Test("An error in the channel fails all who wait, as its end does")
    func channelError() throws {
        let harness = try LaneHarness()
        try harness.start()
        _ = try harness.call(1, outcomes: outcomes)
        harness.loop.run()
        harness.channel.pipeline.fireErrorCaught(ChannelError.ioOnClosedChannel)
        #expect(outcomes[1] == "connect unknown")
        harness.channel.pipeline.fireChannelInactive()
        #expect(harness.load.decisions == 0)
    }

    @Test("A replica's refusals are sent again on the next connection, once")
    func readOnly() throws {
        let harness = try LaneHarness()
        try harness.start()
        harness.loop.advanceTime(by: .seconds(2))
        _ = try harness.call(1, within: .seconds(1), outcomes: outcomes)
        _ = try harness.call(2, within: .seconds(1), outcomes: outcomes)
        _ = try harness.call(3, within: .seconds(1), outcomes: outcomes)
        harness.loop.run()
        #expect(try harness.sent() == "<1><2><3>")
        try harness.receive("*2\r\n:1\r\n:0\r\n-READONLY no\r\n")
        _ = try harness.call(4, within: .seconds(1), outcomes: outcomes)
        harness.loop.run()
        #expect(try harness.sent() == "", "nothing more goes to a replica")
        try harness.receive("-READONLY no\r\n")
        #expect(harness.dials == 2)
        try harness.greet()
        let sent = try harness.sent()
        #expect(["<2>", "<3>", "<4>"].allSatisfy { sent.contains($0) } && sent.utf8.count == 9)
        try harness.receive("-READONLY no\r\n-READONLY no\r\n-READONLY no\r\n")
        // The first of them was new: it waits for a third connection, and is refused while that is backed off from.
        #expect([outcomes[2], outcomes[3], outcomes[4]] == Array(repeating: "readOnly notCharged", count: 3))
    }

    @Test("A lost script is loaded once, in front of the calls that need it")
    func lostScript() throws {
        let harness = try LaneHarness()
        try harness.start()
        for nonce in 1...3 { _ = try harness.call(Int64(nonce), outcomes: outcomes) }
        harness.loop.run()
        _ = try harness.sent()
        try harness.receive("-NOSCRIPT no\r\n-NOSCRIPT no\r\n-NOSCRIPT no\r\n")
        #expect(try harness.sent() == String(decoding: harness.script.loading, as: UTF8.self) + "<1><2><3>")
        try harness.receive("$40\r\n\(harness.script.digest)\r\n*2\r\n:1\r\n:0\r\n*2\r\n:2\r\n:0\r\n*2\r\n:3\r\n:0\r\n")
        #expect((1...3).allSatisfy { outcomes[$0] == "ok" })
    }

    @Test("A caller who gave up while the script was lost is not sent again")
    func lostScriptAndCaller() throws {
        let harness = try LaneHarness()
        try harness.start()
        let calls = try (1...2).map { try harness.call($0, outcomes: outcomes) }
        harness.loop.run()
        _ = try harness.sent()
        calls[0].giveUp(.cancelled, "")
        try harness.receive("-NOSCRIPT no\r\n-NOSCRIPT no\r\n")
        #expect(try harness.sent() == String(decoding: harness.script.loading, as: UTF8.self) + "<2>")
    }

    @Test("While attempts fail, calls are refused at once with the reason, and an attempt under way is waited for")
    func refusal() throws {
        let harness = try LaneHarness()
        harness.fail(with: LimiterError(.dns, "no such host"))
        _ = try harness.call(1, outcomes: outcomes)
        harness.begin()
        #expect(outcomes[1] == "dns notCharged")
        _ = try harness.call(2, outcomes: outcomes)
        #expect(outcomes[2] == "dns notCharged", "without a turn of the loop")
        harness.fail(with: nil)
        harness.loop.advanceTime(by: .milliseconds(60))
        #expect(harness.dials == 1)
        _ = try harness.call(3, outcomes: outcomes)
        harness.loop.run()
        #expect(outcomes[3] == "waits")
        try harness.greet()
        #expect(try harness.sent() == "<3>")
    }

    @Test("An attempt that hangs ends in time, and a channel that comes too late is closed")
    func hangingGreeting() throws {
        let harness = try LaneHarness { $0.connectTimeout = .milliseconds(200) }
        harness.begin()
        let first = harness.channel
        _ = try harness.call(1, within: .seconds(9), outcomes: outcomes)
        harness.loop.advanceTime(by: .milliseconds(201))
        #expect(outcomes[1] == "connect notCharged")
        #expect(!first.isActive)
        harness.loop.advanceTime(by: .milliseconds(60))
        #expect(harness.dials == 2)
    }

    // MARK: Two lanes

    /// A node whose two connections stand.
    private func pair() throws -> LaneHarness {
        let harness = try LaneHarness { $0.connections = 2 }
        try harness.start()
        #expect(harness.dials == 1, "the second waits for the first")
        harness.loop.advanceTime(by: .milliseconds(600))
        #expect(harness.dials == 2)
        try harness.greet()
        return harness
    }

    @Test("One connection carries all calls, and the other stands by")
    func standby() throws {
        let harness = try pair()
        for nonce in 1...4 { _ = try harness.call(Int64(nonce), outcomes: outcomes) }
        harness.loop.run()
        harness.chosen = 0
        #expect(try harness.sent() == "<1><2><3><4>")
        harness.chosen = 1
        #expect(try harness.sent() == "")
    }

    @Test("What a lost connection had not sent goes to the other, and what it had is unknown")
    func reroute() throws {
        let harness = try pair()
        harness.loop.advanceTime(by: .seconds(2))
        for nonce in 1...2 { _ = try harness.call(Int64(nonce), within: .seconds(9), outcomes: outcomes) }
        harness.loop.run()
        for nonce in 3...4 { _ = try harness.call(Int64(nonce), within: .seconds(9), outcomes: outcomes) }
        harness.chosen = 0
        harness.channel.pipeline.fireChannelInactive()
        harness.loop.run()
        #expect((1...4).map { outcomes[$0] } == ["connect unknown", "connect unknown", "waits", "waits"])
        harness.chosen = 1
        #expect(try harness.sent() == "<3><4>")
        #expect(harness.dials == 2, "the other stands: there is no hurry")
        harness.loop.advanceTime(by: .milliseconds(600))
        #expect(harness.dials == 3)
    }

    @Test("A connection that leads to a replica gets no more calls while another stands")
    func drainingBesideAnother() throws {
        let harness = try pair()
        for nonce in 1...3 { _ = try harness.call(Int64(nonce), within: .seconds(9), outcomes: outcomes) }
        harness.loop.run()
        harness.chosen = 0
        _ = try harness.sent()
        try harness.receive("-READONLY no\r\n")
        for nonce in 5...8 { _ = try harness.call(Int64(nonce), within: .seconds(9), outcomes: outcomes) }
        harness.loop.run()
        #expect(try harness.sent() == "")
        harness.chosen = 1
        #expect(try harness.sent() == "<5><6><7><8>")
        harness.chosen = 0
        try harness.receive("-READONLY no\r\n*2\r\n:3\r\n:0\r\n")
        #expect(outcomes[3] == "ok")
        harness.chosen = 1
        #expect(try harness.sent() == "<1><2>")
    }

    @Test("When both connections break, one after the other, calls do not wait for a leader that bides its time")
    func bothLost() throws {
        let harness = try pair()
        for index in 0...1 {
            harness.chosen = index
            harness.channel.pipeline.fireChannelInactive()
        }
        harness.chosen = nil
        _ = try harness.call(1, outcomes: outcomes)
        harness.loop.run()
        #expect(harness.dials == 2)
        harness.loop.advanceTime(by: .milliseconds(26))
        #expect(harness.dials == 3, "after half the back-off's base")
        try harness.greet()
        #expect(try harness.sent() == "<1>")
    }

    @Test("While nothing stands, one lane dials")
    func oneDials() throws {
        let harness = try LaneHarness { $0.connections = 2 }
        harness.fail(with: LimiterError(.connect, "no"))
        harness.begin()
        _ = try harness.call(1, outcomes: outcomes)
        harness.loop.advanceTime(by: .seconds(3))
        #expect(harness.dials == 0)
        harness.fail(with: nil)
        harness.loop.advanceTime(by: .milliseconds(600))
        #expect(harness.dials == 1)
        try harness.greet()
        harness.loop.advanceTime(by: .seconds(1))
        #expect(harness.dials == 2)
    }

    @Test("A release goes behind its decision on the same connection, whichever has come up since")
    func behind() throws {
        let harness = try pair()
        harness.chosen = 0
        harness.channel.pipeline.fireChannelInactive()
        let decision = try harness.call(1, within: .seconds(9), outcomes: outcomes)
        harness.loop.run()
        harness.loop.advanceTime(by: .milliseconds(600))
        harness.chosen = nil
        try harness.greet()
        decision.giveUp(.cancelled, "")
        let release = try harness.makeCall(2, within: .seconds(1), outcomes: outcomes)
        harness.node.submit(Attempt(release), behind: decision)
        _ = try harness.call(3, outcomes: outcomes)
        harness.loop.run()
        #expect(try harness.sent() == "<3>")
        harness.chosen = 1
        #expect(try harness.sent() == "<1><2>")
    }
}
