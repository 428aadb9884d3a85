public import Headgate

extension Limiter {
    /// A limiter that counts in memory, and for which time passes by a manual clock alone.
    ///
    /// ```swift
    /// let clock = ManualClock()
    /// let limiter = Limiter.inMemory(clock: clock)
    /// let limit = try Limit("requests", .slidingWindowLog(1, per: .seconds(60)))
    /// _ = try await limiter.acquire(for: alice, limits: [limit])
    /// clock.advance(by: .seconds(60))
    /// #expect(try await limiter.acquire(for: alice, limits: [limit]).isAllowed)
    /// ```
    ///
    /// - Parameters:
    ///   - rules: What maps requests to limits.
    ///   - clock: The time of windows, of waits and of lease renewals.
    ///   - start: What the clock's start is on the calendar; the same in each run, so that aligned windows are too.
    /// - Returns: A limiter with a store of its own.
    public static func inMemory(
        rules: any RuleSet = NoRules(),
        clock: ManualClock,
        startingAt start: StoreTime = StoreTime(microseconds: 1_700_000_000_000_000)
    ) -> Limiter {
        Limiter(store: MemoryStore(clock: clock, startingAt: start), rules: rules, clock: clock)
    }
}
