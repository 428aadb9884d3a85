import Headgate
import HeadgateTesting
import Testing

@Suite("Limiter")
struct LimiterTests {
    let clock = ManualClock()
    let store: MemoryStore
    let limiter: Limiter
    let acme: Identity

    init() throws {
        store = MemoryStore(clock: clock, startingAt: StoreTime(microseconds: 1_763_782_800_000_000))
        limiter = Limiter(store: store, clock: clock)
        acme = try .acme()
    }

    @Test("A request that one limit denies leaves the others' counts untouched")
    func allOrNothing() async throws {
        let wide = try Limit("class", .slidingWindowLog(10, per: .seconds(60)))
        let narrow = try Limit("endpoint", .slidingWindowLog(1, per: .seconds(60)))
        #expect(try await limiter.acquire(for: acme, limits: [wide, narrow]).isAllowed)
        for _ in 0..<5 {
            let denied = try await limiter.acquire(for: acme, limits: [wide, narrow])
            #expect(denied.outcome == .denied)
            #expect(denied.bindingLimit?.id == "endpoint")
            #expect(denied.limits[0].remaining == 9)
        }
        #expect(try await limiter.peek(for: acme, limits: [narrow]).limits[0].remaining == 0)
        // And the other way round: a full class keeps the endpoint's count.
        _ = try await limiter.acquire(9, for: acme, limits: [wide])
        let other = try Limit("other", .tokenBucket(5, per: .seconds(60)))
        #expect(try await limiter.acquire(for: acme, limits: [wide, other]).limits[1].remaining == 5)
    }

    @Test("A cost of 0 or less is a bad request that charges nothing", arguments: [0, -1, .min] as [Int64])
    func badCost(cost: Int64) async throws {
        let limit = try Limit("limit", .fixedWindow(10, per: .seconds(60)))
        await #expect(throws: LimiterError.self) { try await limiter.acquire(cost, for: acme, limits: [limit]) }
        #expect(store.size == 0)
    }

    @Test("A cost above the limit is denied for ever, and waits for nothing")
    func permanentDenial() async throws {
        let limit = try Limit("limit", .tokenBucket(10, per: .seconds(60)))
        let decision = try await limiter.acquire(11, for: acme, limits: [limit])
        #expect(decision.isPermanent)
        #expect(decision.retryAfter == nil)
        let zero = try Limit("zero", .slidingWindowLog(0, per: .seconds(60)))
        #expect(try await limiter.acquire(for: acme, limits: [zero]).isPermanent)
    }

    @Test("Peeking charges nothing, and says what acquiring would")
    func peek() async throws {
        let limit = try Limit("limit", .slidingWindowLog(1, per: .seconds(60)))
        for _ in 0..<3 { #expect(try await limiter.peek(for: acme, limits: [limit]).isAllowed) }
        #expect(store.size == 0)
        _ = try await limiter.acquire(for: acme, limits: [limit])
        #expect(try await limiter.peek(for: acme, limits: [limit]).outcome == .denied)
    }

    @Test("A limit in shadow mode counts, says that it would deny, and lets pass")
    func shadow() async throws {
        let shadow = try Limit("shadow", .fixedWindow(1, per: .seconds(3_600)), mode: .shadow)
        #expect(try await limiter.acquire(for: acme, limits: [shadow]).limits[0].verdict == .allowed)
        let second = try await limiter.acquire(for: acme, limits: [shadow])
        #expect(second.isAllowed)
        #expect(second.limits[0].verdict == .wouldDeny)
        #expect(second.bindingLimit == nil)
    }

    @Test("A refund gives the units back once, whichever copy of the decision asks")
    func refundOnce() async throws {
        let limit = try Limit("limit", .slidingWindowLog(5, per: .seconds(60)))
        let decision = try await limiter.acquire(3, for: acme, limits: [limit])
        let copy = decision
        #expect(try await limiter.refund(decision) == ["limit": 3])
        let error = await #expect(throws: LimiterError.self) { try await limiter.refund(copy) }
        #expect(error?.code == .alreadyRefunded)
        #expect(try await limiter.peek(for: acme, limits: [limit]).limits[0].remaining == 5)
    }

    @Test("A refund that certainly did not happen may be tried again")
    func refundAgain() async throws {
        let limit = try Limit("limit", .slidingWindowLog(5, per: .seconds(60)))
        let decision = try await limiter.acquire(3, for: acme, limits: [limit])
        let broken = Limiter(store: BrokenStore(LimiterError(.connect, "refused")))
        await #expect(throws: LimiterError.self) { try await broken.refund(decision) }
        #expect(try await limiter.refund(decision) == ["limit": 3])
    }

    @Test("A reset forgets the subject's counts")
    func reset() async throws {
        let limit = try Limit("limit", .fixedWindow(1, per: .seconds(3_600)))
        _ = try await limiter.acquire(for: acme, limits: [limit])
        try await limiter.reset(acme, limits: [limit])
        #expect(try await limiter.acquire(for: acme, limits: [limit]).isAllowed)
    }

    @Test("A change of limit keeps what was used and changes what is allowed")
    func upgrade() async throws {
        _ = try await limiter.acquire(80, for: acme, limits: [try Limit("read", .slidingWindowLog(100, per: .seconds(3_600)))])
        let upgraded = try await limiter.acquire(for: acme, limits: [try Limit("read", .slidingWindowLog(1_000, per: .seconds(3_600)))])
        #expect(upgraded.limits[0].remaining == 919)
    }

    @Test("Two limits with one id are a bad request")
    func duplicateLimits() async throws {
        let limit = try Limit("limit", .fixedWindow(1, per: .seconds(60)))
        let error = await #expect(throws: LimiterError.self) { try await limiter.acquire(for: acme, limits: [limit, limit]) }
        #expect(error?.code == .badRequest)
    }

    @Test("Without a policy, a policy request says so")
    func noRules() async throws {
        let error = await #expect(throws: LimiterError.self) {
            try await limiter.acquire(for: Subject(acme), on: Endpoint(method: "GET", path: "/"))
        }
        #expect(error?.code == .noRules)
    }

    @Test("Requests of one group add up on a limit that they share, and are charged together or not at all")
    func group() async throws {
        let limit = try Limit("read", .slidingWindowLog(5, per: .seconds(60)))
        let ruled = Limiter(store: store, rules: SameLimits(limits: [try .rule(limit)]))
        let request = LimitRequest(subject: Subject(acme), endpoint: Endpoint(method: "GET", path: "/"), cost: 2)
        #expect(try await ruled.acquire(all: [request, request]).limits.map(\.remaining) == [1])
        #expect(try await ruled.acquire(all: [request, request]).outcome == .denied)
        #expect(try await ruled.peek(for: Subject(acme), on: request.endpoint).limits[0].remaining == 1)
    }

    @Test("A batch is judged in order, each group by itself, and a group can be a look")
    func batch() async throws {
        let limit = try Limit("read", .slidingWindowLog(2, per: .seconds(60)))
        let ruled = Limiter(store: store, rules: SameLimits(limits: [try .rule(limit)]))
        let request = LimitRequest(subject: Subject(acme), endpoint: Endpoint(method: "GET", path: "/"))
        let look = RequestGroup([request], effect: .observe)
        let decisions = try await ruled.decide([RequestGroup([request]), look, RequestGroup([request]), RequestGroup([request]), look])
        #expect(decisions.map(\.outcome) == [.allowed, .allowed, .allowed, .denied, .denied])
    }

    @Test("What no count would ever allow leaves the count as it is", arguments: Algorithm.Name.allCases)
    func zeroSettlesNothing(name: Algorithm.Name) async throws {
        let (full, zero) = try limits(name)
        while try await limiter.acquire(for: acme, limits: [full]).isAllowed {}
        #expect(try await limiter.acquire(for: acme, limits: [zero]).isPermanent)
        #expect(try await limiter.acquire(for: acme, limits: [full]).outcome == .denied)
    }

    private func limits(_ name: Algorithm.Name) throws -> (full: Limit, zero: Limit) {
        let (hour, second): (Duration, Duration) = (.seconds(3_600), .seconds(1))
        let algorithms: (Algorithm, Algorithm) =
            switch name {
            case .slidingWindowLog: (try .slidingWindowLog(5, per: hour), try .slidingWindowLog(0, per: second))
            case .tokenBucket: (try .tokenBucket(5, per: hour), try .tokenBucket(0, per: second))
            case .fixedWindow: (try .fixedWindow(5, per: hour), try .fixedWindow(0, per: second))
            case .slidingWindowCounter: (try .slidingWindowCounter(5, per: hour), try .slidingWindowCounter(0, per: second))
            case .concurrency: (try .concurrency(5), try .concurrency(0, timeToLive: second))
            }
        return (try Limit("limit", algorithms.0), try Limit("limit", algorithms.1))
    }

    @Test("Denials for good leave nothing behind in the memory store")
    func denialsLeaveNothing() async throws {
        let zero = try Limit("limit", .fixedWindow(0, per: .seconds(60)))
        for subject in 0..<100 { _ = try await limiter.acquire(for: Identity(.account, "s\(subject)"), limits: [zero]) }
        #expect(store.size == 0)
    }

    @Test("The memory store refuses a charge of nothing, as the script does")
    func badCharge() async throws {
        let charge = Charge(try Limit("limit", .fixedWindow(1, per: .seconds(60))), identity: acme, cost: 0)
        let error = await #expect(throws: LimiterError.self) { try await store.decide([StoreDecision(charges: [charge])]) }
        #expect(error?.code == .badRequest)
    }

    @Test("Counts that have ended leave the memory store", arguments: [5_000])
    func sweep(subjects: Int) async throws {
        let limit = try Limit("limit", .tokenBucket(10, per: .seconds(60)))
        for round in 0..<4 {
            for subject in 0..<subjects {
                _ = try await limiter.acquire(for: Identity(.account, "s\(round)-\(subject)"), limits: [limit])
            }
            clock.advance(by: .seconds(60))
        }
        #expect(store.size < 2 * subjects + 1_024)
    }
}
