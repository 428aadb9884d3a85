import Headgate
import HeadgateTesting
import Testing

@Suite("Waiting for a limit")
struct WaitingTests {
    let clock = ManualClock()
    let limiter: Limiter
    let acme: Identity
    let limit: Limit

    init() throws {
        limiter = Limiter(store: MemoryStore(clock: clock, startingAt: StoreTime(microseconds: 1_763_782_800_000_000)), clock: clock)
        acme = try .acme()
        limit = try Limit("limit", .tokenBucket(60, per: .seconds(60), burst: 1))
    }

    @Test("sleeps for the time that the store gave, and is admitted then")
    func waits() async throws {
        _ = try await limiter.acquire(for: acme, limits: [limit])
        async let waited = limiter.acquire(for: acme, limits: [limit], waitingAtMost: .seconds(5))
        try await clock.waitForSleepers(1)
        clock.advance(by: .seconds(1))
        #expect(try await waited.isAllowed)
        #expect(clock.now.sinceStart == .seconds(1))
        #expect(limiter.waitingCallers == 0)
    }

    @Test("is given up at once when it would be too long")
    func tooLong() async throws {
        _ = try await limiter.acquire(for: acme, limits: [limit])
        let decision = try await limiter.acquire(for: acme, limits: [limit], waitingAtMost: .milliseconds(999))
        #expect(decision.outcome == .denied)
        #expect(decision.retryAfter == .seconds(1))
        #expect(clock.now.sinceStart == .zero)
    }

    @Test("of no time at all is an ordinary request, when nobody is ahead", arguments: [Duration.zero, .seconds(-1)])
    func noTime(longest: Duration) async throws {
        for _ in 0..<50 {
            let fresh = try Identity(.account, "fresh\(UInt64.random(in: 0 ... .max))")
            #expect(try await limiter.acquire(for: fresh, limits: [limit], waitingAtMost: longest).isAllowed)
        }
    }

    @Test("is given up at once when no wait would help")
    func permanent() async throws {
        #expect(try await limiter.acquire(2, for: acme, limits: [limit], waitingAtMost: .seconds(60)).isPermanent)
    }

    @Test("serves the callers of a process first come first served")
    func fifo() async throws {
        _ = try await limiter.acquire(for: acme, limits: [limit])
        let order = Record()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<8 {
                group.addTask { [limiter, acme, limit] in
                    let decision = try await limiter.acquire(for: acme, limits: [limit], waitingAtMost: .seconds(60))
                    #expect(decision.isAllowed)
                    order.append(caller)
                }
                while limiter.waitingCallers <= caller { await Task.yield() }
            }
            for served in 0..<8 {
                // The first of the line sleeps for the limit, and each of the others for the end of its patience.
                try await clock.waitForSleepers(8 - served)
                while !limiter.isFirstAsleep(clock, waiting: 8 - served) { await Task.yield() }
                clock.advance(by: .seconds(1))
                while order.all.count <= served { await Task.yield() }
            }
            try await group.waitForAll()
        }
        #expect(order.all == Array(0..<8))
        #expect(limiter.waitingCallers == 0)
    }

    @Test("ends with its task, and lets the next one in line go on")
    func cancelled() async throws {
        _ = try await limiter.acquire(for: acme, limits: [limit])
        let first = Task { [limiter, acme, limit] in try await limiter.acquire(for: acme, limits: [limit], waitingAtMost: .seconds(60)) }
        while limiter.waitingCallers < 1 { await Task.yield() }
        try await clock.waitForSleepers(1)
        let second = Task { [limiter, acme, limit] in try await limiter.acquire(for: acme, limits: [limit], waitingAtMost: .seconds(60)) }
        while limiter.waitingCallers < 2 { await Task.yield() }
        first.cancel()
        let error = await #expect(throws: LimiterError.self) { try await first.value }
        #expect(error?.code == .cancelled)
        while limiter.waitingCallers > 1 { await Task.yield() }
        while clock.sleepers < 1 { await Task.yield() }
        clock.advance(by: .seconds(1))
        // The second may have gone to sleep just before or just after the clock moved.
        while limiter.waitingCallers > 0 {
            clock.advance(by: .milliseconds(100))
            await Task.yield()
        }
        #expect(try await second.value.isAllowed)
    }

    @Test("of a caller whose turn does not come in time ends with a denial that charges nothing")
    func turnDoesNotCome() async throws {
        _ = try await limiter.acquire(for: acme, limits: [limit])
        let slow = try Limit("limit", .tokenBucket(1, per: .seconds(60), burst: 1))
        let first = Task { [limiter, acme] in try await limiter.acquire(for: acme, limits: [slow], waitingAtMost: .seconds(600)) }
        while limiter.waitingCallers < 1 { await Task.yield() }
        try await clock.waitForSleepers(1)
        let second = Task { [limiter, acme] in try await limiter.acquire(for: acme, limits: [slow], waitingAtMost: .milliseconds(10)) }
        try await clock.waitForSleepers(2)
        clock.advance(by: .milliseconds(10))
        let denied = try await second.value
        #expect(denied.outcome == .denied && denied.retryAfter != nil && denied.bindingLimit != nil)
        first.cancel()
        _ = try? await first.value
        #expect(limiter.waitingCallers == 0)
    }
}

extension Limiter {
    /// Whether every caller in line sleeps: the first for the limit, the others for their patience.
    func isFirstAsleep(_ clock: ManualClock, waiting: Int) -> Bool { clock.sleepers >= waiting && waitingCallers == waiting }
}
