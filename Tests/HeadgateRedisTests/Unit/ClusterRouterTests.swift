import Headgate
import NIOCore
import NIOEmbedded
import Testing

@testable import HeadgateRedis

@Suite("A cluster's router")
struct ClusterRouterTests {
    private typealias Harness = ClusterHarness
    private let asking = String(decoding: LaneSettings.asking, as: UTF8.self)

    @Test("A call goes to the owner of its slot")
    func owner() throws {
        let harness = try Harness()
        try harness.start()
        for (nonce, slot) in [(1, 0), (2, 5_000), (3, 16_383)] as [(Int64, Int)] { try harness.call(nonce, slot: slot) }
        #expect(try harness.sent(to: Harness.seed) == "<1>")
        #expect(try harness.sent(to: Harness.second) == "<2>")
        #expect(try harness.sent(to: Harness.third) == "<3>")
    }

    @Test("Calls before the start wait for the first node, and one for a slot without owner goes to a node that is well")
    func beginning() throws {
        let harness = try Harness()
        try harness.call(1, slot: 3)
        #expect(harness.outcomes[1] == "waits")
        harness.router.start()
        try harness.greet(Harness.seed)
        #expect(try harness.sent(to: Harness.seed) == "<1>")
        harness.router.take(try Harness.map([(0, 9, Harness.seed), (10, 19, Harness.second)]))
        try harness.call(2, slot: 9_999)
        #expect(try harness.sent(to: Harness.seed) == "<2>")
    }

    @Test("MOVED is followed, noted, and a reason to read the map")
    func moved() async throws {
        let harness = try Harness()
        try harness.start()
        var refreshes = harness.router.refreshes.stream.makeAsyncIterator()
        await refreshes.next()
        try harness.call(1, slot: 7)
        try harness.receive("-MOVED 7 10.0.0.2:1\r\n", from: Harness.seed)
        #expect(try harness.sent(to: Harness.second) == "<1>")
        await refreshes.next()
        try harness.answer(1, from: Harness.second)
        #expect(harness.outcomes[1] == "ok")
        _ = try harness.sent(to: Harness.seed)
        try harness.call(2, slot: 7)
        try harness.call(3, slot: 8)
        #expect(try harness.sent(to: Harness.second) == "<2>")
        #expect(try harness.sent(to: Harness.seed) == "<3>")
    }

    @Test("ASK is followed once, behind ASKING, and not noted; a lost script is loaded before both")
    func ask() throws {
        let harness = try Harness()
        try harness.start()
        try harness.call(1, slot: 7)
        try harness.receive("-ASK 7 10.0.0.2:1\r\n", from: Harness.seed)
        #expect(try harness.sent(to: Harness.second) == asking + "<1>")
        try harness.receive("+OK\r\n-NOSCRIPT x\r\n", from: Harness.second)
        let sent = try harness.sent(to: Harness.second)
        #expect(sent.contains("SCRIPT") && sent.hasSuffix(asking + "<1>"))
        try harness.call(2, slot: 7)
        #expect(try harness.sent(to: Harness.seed) == "<1><2>")
        // Who is sent on by MOVED after it asks no more.
        try harness.receive("$40\r\n\(try RedisScript("return 1").digest)\r\n+OK\r\n-MOVED 7 10.0.0.3:1\r\n", from: Harness.second)
        #expect(try harness.sent(to: Harness.third) == "<1>")
    }

    @Test("A call is sent on five times", arguments: ["MOVED", "ASK"])
    func five(_ word: String) throws {
        let harness = try Harness()
        try harness.start()
        try harness.call(1, slot: 7)
        for turn in 1...6 {
            #expect(harness.outcomes[1] == "waits")
            #expect(try harness.sent(to: Harness.seed).hasSuffix("<1>"), "\(turn)")
            // Without a host it is the node itself.
            try harness.receive((turn > 1 && word == "ASK" ? "+OK\r\n" : "") + "-\(word) 7 :1\r\n", from: Harness.seed)
        }
        #expect(harness.outcomes[1] == "tooManyRedirects notCharged")
        #expect(try harness.sent(to: Harness.seed).isEmpty)
    }

    @Test("A place that is none, or is not allowed, is not connected to", arguments: ["MOVED", "ASK"])
    func allowed(_ word: String) throws {
        let harness = try Harness(allowing: ["10.0.0.*"])
        try harness.start()
        for (nonce, place) in [(1, "?:1"), (2, "10.0.0.9:0"), (3, "10.9.0.1:1"), (4, "evil:1")] as [(Int64, String)] {
            try harness.call(nonce, slot: 7)
            try harness.receive("-\(word) 7 \(place)\r\n", from: Harness.seed)
            #expect(harness.outcomes[nonce] == "clusterDown notCharged", "\(place)")
        }
        #expect(harness.places == [Harness.seed, Harness.second, Harness.third])
        try harness.call(5, slot: 7)
        try harness.receive("-\(word) 7 10.0.0.77:1\r\n", from: Harness.seed)
        #expect(harness.outcomes[5] == "waits")
        #expect(harness.places.contains(.host("10.0.0.77", port: 1)))
    }

    @Test("TRYAGAIN is tried again there within 20 milliseconds, and not beyond the deadline")
    func tryAgain() throws {
        let harness = try Harness()
        try harness.start()
        try harness.call(1, slot: 7)
        _ = try harness.sent(to: Harness.seed)
        try harness.receive("-TRYAGAIN x\r\n", from: Harness.seed)
        harness.loop.advanceTime(by: .milliseconds(4))
        #expect(try harness.sent(to: Harness.seed).isEmpty)
        harness.loop.advanceTime(by: .milliseconds(16))
        #expect(try harness.sent(to: Harness.seed) == "<1>")
        try harness.call(2, slot: 7, by: .now() + .milliseconds(4))
        try harness.answer(1, from: Harness.seed)
        try harness.receive("-TRYAGAIN x\r\n", from: Harness.seed)
        #expect(harness.outcomes[2] == "clusterDown notCharged")
    }

    @Test("CLUSTERDOWN is told to the caller")
    func clusterDown() throws {
        let harness = try Harness()
        try harness.start()
        try harness.call(1, slot: 7)
        try harness.receive("-CLUSTERDOWN Hash slot not served\r\n", from: Harness.seed)
        #expect(harness.outcomes[1] == "clusterDown notCharged")
    }

    @Test("What a node that is left has not sent goes on elsewhere, and what it has sent is answered")
    func left() throws {
        let harness = try Harness()
        try harness.start()
        let slow = RedisEndpoint.host("10.0.0.4", port: 1)
        harness.router.take(try Harness.map([(0, 99, Harness.seed), (100, 16_383, slow)]))
        try harness.call(1, slot: 7)
        try harness.call(2, slot: 500)
        let node = try #require(harness.router.node(at: slow))
        harness.router.take(try Harness.map([(0, 16_383, Harness.second)]))
        harness.loop.run()
        #expect(harness.outcomes[2] == "waits")
        try harness.greet(Harness.second)
        #expect(try harness.sent(to: Harness.second) == "<2>")
        // Who has the node in hand still comes too late, and not in vain.
        let share = try harness.load.take(decisions: 1, bytes: 1)
        let late = Call(frame: Array("<3>".utf8), expecting: .anything, deadline: .distantFuture, slot: 500, share: share)
        #expect(late.begin(nil))
        node.submit(Attempt(late))
        harness.loop.run()
        #expect(try harness.sent(to: Harness.second) == "<3>")
        try harness.answer(1, from: Harness.seed)
        #expect(harness.outcomes[1] == "ok")
    }

    @Test("A node that was left is not noted as an owner again")
    func notBack() throws {
        let harness = try Harness()
        try harness.start()
        harness.router.take(try Harness.map([(0, 16_383, Harness.second)]))
        harness.router.move(7, to: Harness.seed)
        harness.loop.run()
        try harness.call(1, slot: 7)
        #expect(try harness.sent(to: Harness.second).hasSuffix("<1>"))
        #expect(harness.router.nodes.count == 1)
    }

    @Test("There is an end to the nodes that are connected to")
    func most() throws {
        let harness = try Harness()
        let made = (1...2 * ClusterRouter.mostNodes).count { harness.router.node(at: .host("10.0.1.1", port: $0)) != nil }
        #expect(made == ClusterRouter.mostNodes - 1, "and the first")
    }

    @Test("Each master has a tag of its own slots")
    func tags() throws {
        let harness = try Harness()
        try harness.start()
        for (node, range) in zip(harness.router.nodes, [0...4_999, 5_000...9_999, 10_000...16_383]) {
            let tag = try #require(harness.router.tag(of: node))
            #expect(range.contains(HashSlot.of("hg:{g:\(tag)}:x")))
            #expect(harness.router.tag(of: node) == tag)
        }
        let left = harness.router.nodes[0]
        harness.router.take(try Harness.map([(0, 16_383, Harness.second)]))
        #expect(harness.router.tag(of: left) == nil)
    }
}
