import Headgate
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import HeadgateRedis

/// A lane on a loop that moves only when the test says so.
final class LaneHarness {
    let loop = EmbeddedEventLoop()
    let lane: Lane
    let load = Load(.init())
    let script: RedisScript
    private let node: Node
    private let channels = Changeable<[EmbeddedChannel]>([])
    private let dialError = Changeable<LimiterError?>(nil)

    init(_ change: (inout RedisConfiguration) -> Void = { _ in }) throws {
        var configuration = RedisConfiguration(clientName: "")
        change(&configuration)
        script = try RedisScript("return 1")
        let (channels, dialError) = (channels, dialError)
        let settings = LaneSettings(
            configuration: configuration,
            script: script,
            telemetry: RedisTelemetry(logger: Logger(label: "test")),
            dial: { loop, handler in
                if let error = dialError.value { return loop.makeFailedFuture(error) }
                guard let loop = loop as? EmbeddedEventLoop else { return loop.makeSucceededVoidFuture() }
                let channel = EmbeddedChannel(handler: handler.value, loop: loop)
                channels.value = channels.value + [channel]
                return channel.connect(to: .init(ipv4Loopback: 6379))
            },
            random: { 0.5 }
        )
        lane = Lane(number: 0, settings: settings, eventLoop: loop)
        node = Node(lanes: [lane])
    }

    /// The newest connection.
    var channel: EmbeddedChannel { channels.value[channels.value.count - 1] }
    var dials: Int { channels.value.count }

    func fail(with error: LimiterError?) { dialError.value = error }

    /// Starts, and greets as Redis does.
    func start() throws {
        begin()
        try greet()
    }

    /// Starts to connect.
    func begin() {
        lane.start(in: node)
        loop.run()
    }

    func greet() throws {
        #expect(try sent() == String(decoding: script.loading, as: UTF8.self))
        try receive("$40\r\n\(script.digest)\r\n")
    }

    /// What was sent since the last look; each flush one part when `flushes` are asked for.
    func sent() throws -> String { try flushes().joined() }

    func flushes() throws -> [String] {
        var texts: [String] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { texts.append(String(buffer: bytes)) }
        return texts
    }

    func receive(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
        loop.run()
    }

    /// Submits a call whose frame is its nonce, and notes its outcome.
    func call(_ nonce: Int64, within time: TimeAmount = .milliseconds(50), outcomes: Outcomes) throws -> Call {
        let share = try load.take(decisions: 1, bytes: 1)
        let frame = Array("<\(nonce)>".utf8)
        let call = Call(frame: frame, expecting: .integers(count: 2, nonce: nonce), deadline: loop.now + time, share: share)
        guard call.begin({ outcomes.note(nonce, $0) }) else { return call }
        lane.submit(Attempt(call))
        return call
    }
}

/// What became of calls, by nonce.
final class Outcomes: Sendable {
    private let names = Changeable<[Int64: String]>([:])

    func note(_ nonce: Int64, _ answer: Call.Answer) {
        switch answer {
        case .success: names.value[nonce] = "ok"
        case .failure(let error): names.value[nonce] = "\(error.code) \(error.charge)"
        }
    }

    subscript(_ nonce: Int64) -> String { names.value[nonce] ?? "waits" }
}

extension SocketAddress {
    fileprivate init(ipv4Loopback port: Int) {
        do { self = try SocketAddress(ipAddress: "127.0.0.1", port: port) } catch { preconditionFailure("\(error)") }
    }
}

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
}
