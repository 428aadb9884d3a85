import Headgate
import NIOCore
import Testing

@testable import HeadgateRedis

@Suite("Denials that are remembered")
struct DenialCacheTests {
    private static let time = StoreTime(microseconds: 1_763_782_569_000_000)
    private static let sent = NIODeadline.uptimeNanoseconds(5_000_000_000)

    private static func decision(_ name: String = "acme", units: Int64 = 10, cost: Int64 = 1, reserve: Int64 = 0) throws -> StoreDecision {
        let limit = try Limit("read", .slidingWindowLog(units, per: .seconds(60)))
        return StoreDecision(charges: [Charge(limit, identity: try Identity(.account, name), cost: cost, reserve: reserve)])
    }

    /// A denial that ends a second after it was asked for.
    private static let denied = Verdict(
        granted: 0,
        readings: [Reading(fit: 0, remaining: 0, retryAfter: 1_000_000, nextUnit: 1_000_000, full: 60_000_000, stamp: 0)]
    )

    private static func cache(_ most: Int = 1_000) -> DenialCache {
        let cache = DenialCache(atMost: most)
        cache.heard(at: sent)
        return cache
    }

    @Test("One answers until the time that Redis gave, counted from the sending of the call")
    func answers() throws {
        let cache = Self.cache()
        let decision = try Self.decision()
        #expect(cache.reply(to: decision, at: Self.sent) == nil)
        cache.remember(decision, Self.denied, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        let reply = try #require(cache.reply(to: decision, at: Self.sent + .milliseconds(400)))
        #expect(reply.verdict.granted == 0)
        #expect(reply.verdict.readings[0].retryAfter == 600_000)
        #expect(reply.time == StoreTime(microseconds: Self.time.microseconds + 400_000))
        #expect(cache.reply(to: decision, at: Self.sent + .nanoseconds(999_999_999)) != nil)
        #expect(cache.reply(to: decision, at: Self.sent + .seconds(1)) == nil)
        #expect(cache.isEmpty)
    }

    @Test("It answers for as much or more of the same limit with the same numbers, and for nothing else")
    func covers() throws {
        let cache = Self.cache()
        let denied = try Self.decision(cost: 3, reserve: 2)
        cache.remember(denied, Self.denied, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        func answers(_ decision: StoreDecision) -> Bool { cache.reply(to: decision, at: Self.sent) != nil }
        #expect(answers(try Self.decision(cost: 3, reserve: 2)))
        #expect(answers(try Self.decision(cost: 4, reserve: 5)))
        #expect(!answers(try Self.decision(cost: 2, reserve: 2)))
        #expect(!answers(try Self.decision(cost: 3, reserve: 1)))
        #expect(!answers(try Self.decision(units: 11, cost: 3, reserve: 2)))
        #expect(!answers(try Self.decision("other", cost: 3, reserve: 2)))
        var look = denied
        look.charges[0].effect = .observe
        #expect(!answers(look))
        var shadow = denied
        shadow.charges[0].limit.mode = .shadow
        #expect(!answers(shadow))
    }

    @Test("Slots and what was granted are not remembered; limits beside the one that denies are not judged")
    func remembered() throws {
        let cache = Self.cache()
        let identity = try Identity(.account, "acme")
        let slots = Charge(try Limit("slots", .concurrency(1)), identity: identity)
        cache.remember(StoreDecision(charges: [slots]), Self.denied, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        let wide = Charge(try Limit("wide", .fixedWindow(9, per: .seconds(60))), identity: identity)
        var granted = Self.denied
        granted.granted = 1
        cache.remember(try Self.decision(), granted, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        #expect(cache.isEmpty)
        let both = StoreDecision(charges: [wide] + (try Self.decision().charges))
        let roomy = Reading(fit: 1, remaining: 8, retryAfter: 0, nextUnit: 1, full: 1, stamp: 0)
        let verdict = Verdict(granted: 0, readings: [roomy] + Self.denied.readings)
        cache.remember(both, verdict, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        let reply = try #require(cache.reply(to: both, at: Self.sent))
        #expect(reply.verdict.readings.map(\.isJudged) == [false, true])
    }

    @Test("What was given back ends it, also while its call was under way")
    func givenBack() throws {
        let cache = Self.cache()
        let decision = try Self.decision()
        let generation = cache.generation
        cache.forget(decision.charges[0].identity, decision.charges[0].limit)
        cache.remember(decision, Self.denied, at: Self.time, sentAt: Self.sent, generation: generation)
        #expect(cache.isEmpty)
        cache.remember(decision, Self.denied, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        cache.forget(decision.charges[0].identity, decision.charges[0].limit)
        #expect(cache.reply(to: decision, at: Self.sent) == nil)
        cache.remember(decision, Self.denied, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        cache.forgetAll()
        #expect(cache.isEmpty)
    }

    @Test("Without a word of what others gave back it does not answer")
    func silence() throws {
        let cache = DenialCache(atMost: 10)
        let decision = try Self.decision()
        cache.remember(decision, Self.denied, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        #expect(cache.reply(to: decision, at: Self.sent) == nil)
        cache.heard(at: Self.sent - .milliseconds(900))
        #expect(cache.reply(to: decision, at: Self.sent) != nil)
        #expect(cache.reply(to: decision, at: Self.sent + .milliseconds(200)) == nil)
    }

    @Test("It holds no more than it may")
    func bounded() throws {
        let cache = Self.cache(160)
        for index in 0..<5_000 {
            let decision = try Self.decision("a\(index)")
            cache.remember(decision, Self.denied, at: Self.time, sentAt: Self.sent, generation: cache.generation)
        }
        let held = try (0..<5_000).count { cache.reply(to: try Self.decision("a\($0)"), at: Self.sent) != nil }
        #expect((1...160).contains(held))
    }
}
