import Headgate
import HeadgateTesting
import Testing

@Suite("A manual clock")
struct ManualClockTests {
    @Test("wakes the sleepers whose time has come, and no others")
    func advancing() async throws {
        let clock = ManualClock()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for seconds in 1...3 {
                group.addTask {
                    try await clock.sleep(for: .seconds(seconds))
                    return seconds
                }
            }
            try await clock.waitForSleepers(3)
            clock.advance(by: .milliseconds(1_500))
            #expect(try await group.next() == 1)
            #expect(clock.sleepers == 2)
            clock.advance(by: .seconds(2))
            #expect(Set([try await group.next(), try await group.next()]) == [2, 3])
        }
        #expect(clock.now == ManualClock.Instant(sinceStart: .milliseconds(3_500)))
    }

    @Test("wakes at once when the time has passed already")
    func past() async throws {
        let clock = ManualClock()
        try await clock.sleep(for: .zero)
        clock.advance(by: .seconds(1))
        try await clock.sleep(until: ManualClock.Instant(sinceStart: .seconds(1)))
    }

    @Test("lets go of a sleeper that is cancelled", arguments: 0..<50)
    func cancelling(_: Int) async throws {
        let clock = ManualClock()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await clock.sleep(for: .seconds(1))
                    return false
                } catch {
                    return error is CancellationError
                }
            }
            group.cancelAll()
            #expect(await group.next() == true)
        }
        #expect(clock.sleepers == 0)
    }

    @Test("stops waiting for sleepers when cancelled")
    func cancelledObserver() async throws {
        let clock = ManualClock()
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await clock.waitForSleepers(1) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }

    @Test("moves the windows of a limiter in memory")
    func limiter() async throws {
        let clock = ManualClock()
        let limiter = Limiter.inMemory(clock: clock)
        let identity = try Identity(.account, "a1")
        let limit = try Limit("requests", .slidingWindowLog(1, per: .seconds(60)))
        #expect(try await limiter.acquire(for: identity, limits: [limit]).isAllowed)
        #expect(try await limiter.acquire(for: identity, limits: [limit]).outcome == .denied)
        clock.advance(by: .seconds(60))
        #expect(try await limiter.acquire(for: identity, limits: [limit]).isAllowed)
    }
}
