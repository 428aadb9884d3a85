import Headgate
import HeadgateTesting
import Testing

@Suite("Leases that are taken without the store")
struct LocalLeaseTests {
    let clock = ManualClock()
    let store: OutageStore
    let limiter: Limiter
    let acme: Identity
    let slots: Limit

    init() throws {
        store = OutageStore(instances: 2, clock: clock)
        limiter = .over(store, clock)
        acme = try .acme()
        slots = try Limit("concurrency", .concurrency(3, timeToLive: .seconds(30)), onRedisFailure: .local)
    }

    func free() async throws -> Int64? { try await limiter.peek(for: acme, limits: [slots]).limits[0].remaining }

    func lease() async throws -> Lease { try #require(try await limiter.acquire(for: acme, limits: [slots]).lease) }

    @Test("hold slots of the share, and are denied when all are held")
    func full() async throws {
        _ = try await lease()
        _ = try await lease()
        let decision = try await limiter.acquire(for: acme, limits: [slots])
        #expect(decision.outcome == .denied && decision.retryAfter == .seconds(1) && decision.lease == nil)
        #expect(decision.limits[0].limit == 3 && decision.limits[0].share == 2)
    }

    @Test("are renewed and released here, also when the store is back, and the store is not asked", arguments: [true, false])
    func life(isAway: Bool) async throws {
        let lease = try await lease()
        store.set(away: isAway)
        for _ in 0..<5 {
            clock.advance(by: .seconds(20))
            try await limiter.renew(lease)
        }
        #expect(try await limiter.release(lease) == .released)
        #expect(store.calls(of: "renew") == 0 && store.calls(of: "release") == 0)
        store.set(away: true)
        #expect(try await free() == 2)
    }

    @Test("are given back without waiting by whoever goes away")
    func abandoned() async throws {
        limiter.abandon(try await lease())
        #expect(try await free() == 2)
        #expect(store.calls(of: "abandon") == 0)
    }

    @Test("are held and renewed for the time of a body that outlives the outage")
    func body() async throws {
        try await limiter.withLease(for: acme, limits: [slots], whenLost: { Issue.record("lost: \($0)") }) { decision in
            #expect(decision.degradedBy == .local && decision.lease != nil)
            for step in 0..<10 {
                store.set(away: step % 4 < 2)
                try await clock.waitForSleepers(1)
                clock.advance(by: .seconds(10))
            }
            try await clock.waitForSleepers(1)
            store.set(away: true)
            let left = try await free()
            #expect(left == 1)
        }
        #expect(try await free() == 2)
        #expect(store.calls(of: "renew") == 0 && store.calls(of: "release") == 0)
    }

    @Test("end by themselves when nobody renews them, and are lost then")
    func expiry() async throws {
        let lease = try await lease()
        clock.advance(by: .seconds(30))
        #expect(try await free() == 2)
        store.set(away: false)
        let error = await #expect(throws: LimiterError.self) { try await limiter.renew(lease) }
        #expect(error?.code == .leaseLost)
        #expect(try await limiter.release(lease) == .notHeld)
    }

    @Test("are told from the store's leases, which the store renews and releases")
    func others() async throws {
        store.set(away: false)
        let lease = try await lease()
        try await limiter.renew(lease)
        #expect(try await limiter.release(lease) == .released)
        #expect(store.calls(of: "renew") == 1 && store.calls(of: "release") == 1)
    }

    @Test("are not taken when another limit of the request denies")
    func allOrNothing() async throws {
        let tight = try Limit("tight", .fixedWindow(2, per: .seconds(60)), onRedisFailure: .local)
        let first = try await limiter.acquire(for: acme, limits: [slots, tight])
        #expect(first.lease != nil)
        let second = try await limiter.acquire(for: acme, limits: [slots, tight])
        #expect(second.outcome == .denied && second.lease == nil)
        #expect(try await free() == 1)
    }

    @Test("a call that only observes takes none")
    func observed() async throws {
        let decision = try await limiter.acquire(for: acme, limits: [slots], slots: .observe)
        #expect(decision.isAllowed && decision.lease == nil)
        #expect(try await free() == 2)
    }

    @Test("a lease without slots is nobody's here")
    func empty() async throws {
        await #expect(throws: LimiterError.self) { try await limiter.renew(Lease(id: "none", slots: [])) }
        #expect(store.calls(of: "renew") == 1)
    }
}
