import Headgate
import NIOCore
import TestSupport
import Testing

@testable import HeadgateRedis

@Suite("Decisions that travel together")
struct PackingTests {
    private static let now: Int64 = 1_763_782_569_123_456

    /// Calls of one decision, whose answers are noted.
    private final class Bench {
        let calls: CallMaker
        var packer = Packer()
        private(set) var members: [(call: Call, answer: Changeable<Call.Answer?>)] = []

        init() throws {
            let (script, keys) = (try RedisScript("return 1"), try KeySpace(prefix: "hg"))
            calls = CallMaker(script: script, keys: keys, load: Load(.init()), isCluster: false)
        }

        func add(_ decision: StoreDecision, within time: TimeAmount = .seconds(1)) throws {
            let call = try calls.call(decision, by: .uptimeNanoseconds(0) + time)
            let answer = Changeable<Call.Answer?>(nil)
            #expect(call.begin { answer.value = $0 })
            members.append((call, answer))
            if let part = call.part { packer.take(call, part) }
        }

        func made() -> [Packet] { packer.takeMade() }

        /// A packet has its answer, and those who waited for it come again.
        func land(_ packet: Packet) {
            for call in packer.landed(packet) { if let part = call.part { packer.take(call, part) } }
        }

        func numbers(_ index: Int) -> [Int64]? {
            if case .success(.integers(let numbers))? = members[index].answer.value { numbers } else { nil }
        }
    }

    private static func decision(_ name: String, _ limits: [Limit], cost: Int64 = 1) throws -> StoreDecision {
        let identity = try Identity(.account, name)
        return StoreDecision(charges: limits.map { Charge($0, identity: identity, cost: cost) })
    }

    private static func wide(_ units: Int64 = 100) throws -> [Limit] { [try Limit("wide", .fixedWindow(units, per: .seconds(60)))] }

    @Test("The frame is what hiredis makes of the same arguments")
    func frame() throws {
        let bench = try Bench()
        let limits = [try Limit("a", .slidingWindowLog(9, per: .seconds(60))), try Limit("b", .tokenBucket(7, per: .seconds(1)))]
        // Two of one shape follow each other; it comes again behind another.
        let decisions = try ["acme", "b", "c", "d"].map { try Self.decision($0, $0 == "c" ? [limits[0]] : limits, cost: 3) }
        for decision in decisions { try bench.add(decision) }
        let context = bench.calls.context
        let packet = try #require(bench.made().first)
        let framed = try ScriptCall.decide(decisions[...], context)
        #expect(String(decoding: packet.frame(context), as: UTF8.self) == String(decoding: framed.frame, as: UTF8.self))
        #expect(packet.integers == framed.replyCount)
    }

    @Test("Equal decisions are one with a count; those of others go beside it, 64 in a call")
    func groups() throws {
        let bench = try Bench()
        for _ in 0..<5 { try bench.add(try Self.decision("hot", try Self.wide())) }
        for index in 0..<70 { try bench.add(try Self.decision("cold\(index)", try Self.wide())) }
        let packets = bench.made()
        #expect(packets.map(\.groups.count) == [64, 7])
        #expect(packets[0].groups[0].calls.count == 5)
        // Another cost, or another limit, is another decision.
        try bench.add(try Self.decision("new", try Self.wide()))
        try bench.add(try Self.decision("new", try Self.wide(), cost: 2))
        try bench.add(try Self.decision("new", try Self.wide(99)))
        #expect(bench.made().map(\.groups.count) == [3])
    }

    @Test("While a decision is under way equal ones wait, and go together when it has its answer")
    func underWay() throws {
        let bench = try Bench()
        let hot = try Self.decision("hot", try Self.wide())
        try bench.add(hot)
        let first = bench.made()
        #expect(first.count == 1)
        for _ in 0..<600 { try bench.add(hot) }
        #expect(bench.made().isEmpty && bench.packer.isCrowded)
        try bench.add(try Self.decision("cold", try Self.wide()))
        #expect(bench.made().count == 1)
        bench.land(first[0])
        // The rest of them waits again: a call hands out so many answers at most.
        #expect(bench.made().map { $0.groups[0].calls.count } == [Packer.mostEqual])
        #expect(bench.packer.isCrowded)
    }

    @Test("Leases and looks are not merged")
    func unmerged() throws {
        let bench = try Bench()
        let slots = [try Limit("slots", .concurrency(3))]
        var leased = try Self.decision("a", slots)
        leased.leaseID = "one"
        try bench.add(leased)
        try bench.add(leased)
        var look = try Self.decision("a", try Self.wide())
        look.charges[0].effect = .observe
        try bench.add(look)
        try bench.add(look)
        #expect(bench.made().map(\.groups.count) == [4])
    }

    @Test("Who has gone is passed over, and what was granted goes to the next")
    func gone() throws {
        let bench = try Bench()
        for _ in 0..<4 { try bench.add(try Self.decision("hot", try Self.wide(2))) }
        let packet = try #require(bench.made().first)
        bench.members[0].call.giveUp(.cancelled, "gone")
        packet.distribute(.success(.integers([7, Self.now, 2, 2, 0, 50, 50, 50, 1])))
        #expect(bench.numbers(0) == nil)
        #expect((1..<4).map { bench.numbers($0)?[2] } == [1, 1, 0])
    }

    @Test("Each is given up at its own deadline, sent or not")
    func deadlines() throws {
        let bench = try Bench()
        let hot = try Self.decision("hot", try Self.wide())
        try bench.add(hot, within: .milliseconds(10))
        let packet = try #require(bench.made().first)
        try bench.add(hot, within: .milliseconds(20))
        #expect(bench.packer.expire(at: .uptimeNanoseconds(0)).next == .uptimeNanoseconds(10_000_000))
        #expect(bench.packer.expire(at: .uptimeNanoseconds(10_000_000)).next == .uptimeNanoseconds(20_000_000))
        #expect(bench.packer.expire(at: .uptimeNanoseconds(20_000_000)).next == nil)
        let errors = bench.members.map { member -> LimiterError? in
            if case .failure(let error)? = member.answer.value { error } else { nil }
        }
        #expect(errors.map { $0?.charge } == [.unknown, .notCharged])
        bench.land(packet)
        #expect(bench.made().isEmpty)
    }

    @Test("A reply of another length is nobody's answer")
    func length() throws {
        let bench = try Bench()
        try bench.add(try Self.decision("a", try Self.wide()))
        bench.made()[0].distribute(.success(.integers([1, 2, 3])))
        guard case .failure(let error)? = bench.members[0].answer.value else { throw LimiterError(.badRequest, "it was an answer") }
        #expect(error.code == .wireProtocol && error.charge == .unknown)
    }

    @Test("Each of many equal decisions is told what it would be told alone", arguments: 0..<60)
    func asAlone(_ seed: Int) throws {
        var generator = Generator(seed: UInt64(seed) + 1)
        func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &generator) }
        let window = Duration.seconds(60)
        var limits = [
            try Limit("log", .slidingWindowLog(pick(1...30), per: window)), try Limit("bucket", .tokenBucket(pick(1...30), per: window)),
            try Limit("fixed", .fixedWindow(pick(1...30), per: window)),
            try Limit("counter", .slidingWindowCounter(pick(1...30), per: window)),
        ].shuffled(using: &generator)
        limits.removeLast(Int(pick(0...3)))
        if pick(0...2) == 0 { limits[0].mode = .shadow }
        var decision = try Self.decision("a", limits, cost: pick(1...3))
        let count = Int(pick(2...20))

        var table = CountTable()
        _ = table.decide([StoreDecision(charges: decision.charges, count: pick(1...9))], at: Self.now)
        var alone = table
        let expected = (0..<count).map { _ in alone.decide([decision], at: Self.now).verdicts[0] }

        let bench = try Bench()
        for _ in 0..<count { try bench.add(decision) }
        decision.count = Int64(count)
        let verdict = table.decide([decision], at: Self.now).verdicts[0]
        var reply = [0, Self.now, verdict.granted]
        for reading in verdict.readings {
            reply += [reading.fit, reading.remaining, reading.retryAfter, reading.nextUnit, reading.full, reading.stamp]
        }
        bench.made()[0].distribute(.success(.integers(reply)))
        for (index, expected) in expected.enumerated() {
            let numbers = try #require(bench.numbers(index))
            let got = ScriptReply(numbers).verdicts(on: [decision])[0]
            #expect(got.granted == expected.granted)
            for (got, expected) in zip(got.readings, expected.readings) {
                #expect(got.fit == expected.fit && got.remaining == expected.remaining, "\(index) of \(count): \(got) \(expected)")
                #expect((got.retryAfter == 0) == (expected.retryAfter == 0))
            }
        }
    }
}
