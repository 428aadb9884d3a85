import Headgate
import HeadgateTesting
import Testing

@Suite("Leases")
struct LeaseTests {
    let clock = ManualClock()
    let limiter: Limiter
    let acme: Identity
    let slots: Limit

    init() throws {
        limiter = Limiter(store: MemoryStore(clock: clock, startingAt: StoreTime(microseconds: 1_763_782_800_000_000)), clock: clock)
        acme = try .acme()
        slots = try Limit("concurrency", .concurrency(2, timeToLive: .seconds(30)))
    }

    func free() async throws -> Int64? { try await limiter.peek(for: acme, limits: [slots]).limits[0].remaining }

    @Test("hold a slot for the time of the body")
    func body() async throws {
        try await limiter.withLease(for: acme, limits: [slots]) { decision in
            #expect(decision.lease != nil)
            let left = try await free()
            #expect(left == 1)
        }
        #expect(try await free() == 2)
    }

    @Test("are given back when the body throws")
    func thrown() async throws {
        struct Failure: Error {}
        await #expect(throws: Failure.self) { try await limiter.withLease(for: acme, limits: [slots]) { _ in throw Failure() } }
        #expect(try await free() == 2)
    }

    @Test("are given back when the task is cancelled")
    func cancelled() async throws {
        let task = Task {
            try await limiter.withLease(for: acme, limits: [slots]) { _ in try await clock.sleep(for: .seconds(600)) }
        }
        try await clock.waitForSleepers(2)
        task.cancel()
        _ = await task.result
        #expect(try await free() == 2)
    }

    @Test("take one slot whatever the cost, and deny when all are held")
    func full() async throws {
        let first = try await limiter.acquire(5, for: acme, limits: [slots])
        let second = try await limiter.acquire(5, for: acme, limits: [slots])
        #expect(first.isAllowed && second.isAllowed)
        let third = try await limiter.acquire(for: acme, limits: [slots])
        #expect(third.outcome == .denied && third.lease == nil)
        // A slot may come back at any moment: the advice is never longer than a second.
        #expect(third.retryAfter == .seconds(1))
        try await limiter.withLease(for: acme, limits: [slots]) { #expect(!$0.isAllowed) }
    }

    @Test("end by themselves when nobody renews them")
    func expiry() async throws {
        _ = try await limiter.acquire(for: acme, limits: [slots])
        clock.advance(by: .seconds(29))
        #expect(try await free() == 1)
        clock.advance(by: .seconds(1))
        #expect(try await free() == 2)
    }

    @Test("live on for as long as the body runs")
    func renewal() async throws {
        try await limiter.withLease(for: acme, limits: [slots]) { _ in
            for _ in 0..<30 {
                try await clock.waitForSleepers(1)
                clock.advance(by: .seconds(10))
            }
            try await clock.waitForSleepers(1)
            let left = try await free()
            #expect(left == 1)
        }
        #expect(try await free() == 2)
    }

    @Test("that are lost are told of once, and their late release frees nobody else's")
    func lost() async throws {
        let told = Record()
        try await limiter.withLease(for: acme, limits: [slots], whenLost: { _ in told.append(1) }) { decision in
            try await clock.waitForSleepers(1)
            let lease = try #require(decision.lease)
            _ = try await limiter.release(lease)
            let others = try await limiter.acquire(for: acme, limits: [slots])
            #expect(others.isAllowed)
            clock.advance(by: .seconds(10))
            while told.all.isEmpty { await Task.yield() }
        }
        #expect(told.all.count == 1)
        #expect(try await free() == 1)
    }

    @Test("are released once: a stranger and a second release free nothing")
    func releases() async throws {
        let decision = try await limiter.acquire(for: acme, limits: [slots])
        let lease = try #require(decision.lease)
        #expect(try await limiter.release(Lease(id: "stranger", slots: lease.slots)) == .notHeld)
        #expect(try await limiter.release(lease) == .released)
        #expect(try await limiter.release(lease) == .notHeld)
        let error = await #expect(throws: LimiterError.self) { try await limiter.renew(lease) }
        #expect(error?.code == .leaseLost)
    }

    @Test("are not taken by a call that only observes")
    func observed() async throws {
        let decision = try await limiter.acquire(for: acme, limits: [slots], slots: .observe)
        #expect(decision.isAllowed && decision.lease == nil)
        #expect(try await free() == 2)
    }

    @Test("of a request that another limit denies are not taken")
    func allOrNothing() async throws {
        let zero = try Limit("zero", .fixedWindow(0, per: .seconds(60)))
        #expect(try await limiter.acquire(for: acme, limits: [slots, zero]).lease == nil)
        #expect(try await free() == 2)
    }
}
