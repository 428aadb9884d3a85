import Headgate
import HeadgateTesting
import Testing

@Suite("Limits that keep a share without the store")
struct LocalPolicyTests {
    let clock = ManualClock()
    let store: OutageStore
    let limiter: Limiter
    let acme: Identity

    init() throws {
        store = OutageStore(instances: 4, clock: clock)
        limiter = .over(store, clock)
        acme = try .acme()
    }

    func limit(_ units: Int64, _ id: String = "read", mode: Limit.Mode = .enforced) throws -> Limit {
        try Limit(id, .slidingWindowLog(units, per: .seconds(60)), onRedisFailure: .local, mode: mode)
    }

    func open(_ id: String) throws -> Limit { try Limit(id, .fixedWindow(10, per: .seconds(60))) }

    /// How many requests of one unit are allowed before the first that is not.
    func drain(_ limits: [Limit], for identity: Identity? = nil) async throws -> Int {
        var admitted = 0
        while try await limiter.acquire(for: identity ?? acme, limits: limits).isAllowed { admitted += 1 }
        return admitted
    }

    @Test("admit the limit over the number of instances, rounded up, and say so")
    func share() async throws {
        let limit = try limit(10)
        let decision = try await limiter.acquire(for: acme, limits: [limit])
        #expect(decision.isAllowed && decision.degradedBy == .local && decision.degradation?.code == .connect)
        #expect(decision.time == nil && decision.resetTime == nil && decision.bindingLimit == nil)
        #expect(decision.limits[0].verdict == .allowed && decision.limits[0].remaining == 2)
        // The customer's limit is what it was; the share is said beside it.
        #expect(decision.limits[0].limit == 10 && decision.limits[0].share == 3)
        #expect(try await drain([limit]) == 2)
        clock.advance(by: .seconds(60))
        #expect(try await drain([limit]) == 3)
    }

    @Test("deny as a limit does, and advise to ask again soon")
    func denial() async throws {
        let limit = try limit(4)
        _ = try await limiter.acquire(for: acme, limits: [limit])
        let decision = try await limiter.acquire(for: acme, limits: [limit])
        #expect(decision.outcome == .denied && decision.degradedBy == .local && !decision.isPermanent)
        // The share is used for a minute, but the store may be back before.
        #expect(decision.retryAfter == .seconds(1))
        #expect(decision.limits[0].nextUnit == .seconds(60))
        #expect(decision.bindingLimit?.id == "read")
    }

    @Test("deny a cost that fits the limit and not the share for now, and one that fits neither for good")
    func large() async throws {
        let decision = try await limiter.acquire(4, for: acme, limits: [try limit(10)])
        #expect(decision.outcome == .denied && decision.retryAfter == .seconds(1) && !decision.isPermanent)
        #expect(decision.limits[0].remaining == 3)
        let never = try await limiter.acquire(11, for: acme, limits: [try limit(10)])
        #expect(never.outcome == .denied && never.isPermanent && never.degradedBy == .local)
    }

    @Test("share what is kept for higher priorities, too")
    func reserve() async throws {
        let limit = try limit(40)
        var rule = try AppliedLimit.rule(limit)
        rule.charge?.reserve = 20
        let ruled = Limiter(store: store, rules: SameLimits(limits: [rule]), clock: clock, startingAt: OutageStore.start)
        for expected in [true, true, true, true, true, false] {
            let decision = try await ruled.acquire(for: Subject(acme), on: Endpoint(method: "GET", path: "/"))
            #expect(decision.isAllowed == expected)
            #expect(decision.limits[0].isHeldBack == !expected && decision.limits[0].reserve == 20)
        }
        #expect(try await limiter.acquire(for: acme, limits: [limit]).isAllowed)
    }

    @Test("let limits that fail open pass unjudged beside them")
    func mixedWithOpen() async throws {
        let decision = try await limiter.acquire(for: acme, limits: [try open("a"), try limit(10)])
        #expect(decision.isAllowed && decision.degradedBy == .local)
        #expect(decision.limits.map(\.verdict) == [.unknown, .allowed])
        #expect(decision.limits[0].share == nil && decision.limits[0].remaining == nil)
        #expect(try await drain([try open("a"), try limit(10)]) == 2)
    }

    @Test("charge nothing when a limit that fails closed refuses the request")
    func mixedWithClosed() async throws {
        let closed = try Limit("b", .fixedWindow(10, per: .seconds(60)), onRedisFailure: .closed)
        for _ in 0..<5 {
            let decision = try await limiter.acquire(for: acme, limits: [try open("a"), try limit(10), closed])
            #expect(decision.outcome == .unavailable && decision.degradedBy == .closed)
            #expect(decision.limits.map(\.verdict) == [.unknown, .unknown, .unknown])
        }
        #expect(try await drain([try limit(10)]) == 3)
    }

    @Test("charge nothing when a limit would never allow the request")
    func mixedWithImpossible() async throws {
        let zero = try Limit("zero", .fixedWindow(0, per: .seconds(60)))
        #expect(try await limiter.acquire(for: acme, limits: [try limit(10), zero]).isPermanent)
        #expect(try await drain([try limit(10)]) == 3)
    }

    @Test("charge all of themselves, or none")
    func allOrNothing() async throws {
        let (wide, tight) = (try limit(100, "wide"), try limit(4, "tight"))
        #expect(try await drain([wide, tight]) == 1)
        #expect(try await drain([wide]) == 24)
    }

    @Test("in shadow mode refuse nothing and count nothing")
    func shadow() async throws {
        for _ in 0..<20 {
            let decision = try await limiter.acquire(for: acme, limits: [try limit(4, mode: .shadow)])
            #expect(decision.isAllowed && decision.degradedBy == .open && decision.limits[0].verdict == .unknown)
        }
    }

    @Test("are read by a peek, which charges nothing")
    func peek() async throws {
        for _ in 0..<5 { #expect(try await limiter.peek(for: acme, limits: [try limit(10)]).limits[0].remaining == 3) }
    }

    @Test("give units back to the share by a refund, once, and do not ask the store")
    func refund() async throws {
        let limit = try limit(10)
        let decision = try await limiter.acquire(2, for: acme, limits: [limit])
        store.set(away: false)
        #expect(try await limiter.refund(decision) == ["read": 2])
        await #expect(throws: LimiterError.self) { try await limiter.refund(decision) }
        #expect(store.calls(of: "refund") == 0)
        store.set(away: true)
        #expect(try await drain([limit]) == 3)
    }

    @Test("are forgotten by a reset that the store has done, and by no other")
    func reset() async throws {
        let limit = try limit(10)
        #expect(try await drain([limit]) == 3)
        await #expect(throws: LimiterError.self) { try await limiter.reset(acme, limits: [limit]) }
        #expect(try await drain([limit]) == 0)
        store.set(away: false)
        try await limiter.reset(acme, limits: [limit])
        store.set(away: true)
        #expect(try await drain([limit]) == 3)
    }

    @Test("let callers who wait ask the store again within a second")
    func waiting() async throws {
        let limit = try limit(4)
        _ = try await limiter.acquire(for: acme, limits: [limit])
        async let waited = limiter.acquire(for: acme, limits: [limit], waitingAtMost: .seconds(10))
        try await clock.waitForSleepers(1)
        store.set(away: false)
        clock.advance(by: .seconds(1))
        #expect(try await !waited.isDegraded)
    }

    @Test("do not let past those who wait ahead")
    func line() async throws {
        let limit = try limit(8)
        _ = try await limiter.acquire(2, for: acme, limits: [limit])
        async let first = limiter.acquire(2, for: acme, limits: [limit], waitingAtMost: .seconds(600))
        try await clock.waitForSleepers(1)
        async let second = limiter.acquire(for: acme, limits: [limit], waitingAtMost: .zero)
        let decision = try await second
        #expect(decision.outcome == .denied && decision.degradedBy == .local)
        while limiter.waitingCallers > 0 {
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(60))
            _ = try await first
        }
    }

    @Test("use one share in all outages of one window")
    func flapping() async throws {
        let limit = try limit(40)
        var local = 0
        var whole = 0
        for _ in 0..<30 {
            clock.advance(by: .seconds(1))
            for away in [true, false] {
                store.set(away: away)
                let decision = try await limiter.acquire(for: acme, limits: [limit])
                #expect(decision.isDegraded == away)
                if decision.isAllowed { (local, whole) = away ? (local + 1, whole) : (local, whole + 1) }
            }
        }
        // The store heard nothing of the share, and the share nothing of the store.
        #expect(local == 10 && whole == 30)
        #expect(try await limiter.peek(for: acme, limits: [limit]).limits[0].remaining == 10)
        clock.advance(by: .seconds(60))
        store.set(away: true)
        #expect(try await drain([limit]) == 10)
    }

    @Test("a table that is full refuses new subjects as unavailable, and goes on counting those it knows")
    func full() async throws {
        let limiter = Limiter(
            store: store,
            clock: clock,
            shares: LocalShares(clock: clock, startingAt: OutageStore.start, mostCounts: 100)
        )
        let limit = try limit(8)
        for number in 0..<100 {
            #expect(try await limiter.acquire(for: Identity(.account, "a\(number)"), limits: [limit]).isAllowed)
        }
        for number in 100..<1_000 {
            let decision = try await limiter.acquire(for: Identity(.account, "a\(number)"), limits: [limit])
            #expect(decision.outcome == .unavailable && decision.degradedBy == .local)
            #expect(decision.degradation?.code == .overloaded)
        }
        #expect(limiter.localCounts == 100)
        #expect(try await limiter.acquire(for: Identity(.account, "a0"), limits: [limit]).isAllowed)
        #expect(try await limiter.acquire(for: Identity(.account, "a0"), limits: [limit]).outcome == .denied)
        #expect(try await limiter.peek(for: Identity(.account, "new"), limits: [limit]).isAllowed)
        // What has ended makes room.
        clock.advance(by: .seconds(61))
        #expect(try await limiter.acquire(for: Identity(.account, "new"), limits: [limit]).isAllowed)
        #expect(limiter.localCounts == 1)
    }

    @Test("forget what has ended as new subjects come")
    func swept() async throws {
        let limit = try limit(8)
        for round in 0..<20 {
            for number in 0..<500 { _ = try await limiter.acquire(for: Identity(.account, "a\(round)-\(number)"), limits: [limit]) }
            clock.advance(by: .seconds(60))
        }
        #expect(limiter.localCounts <= 1_500)
    }
}
