public import Headgate
public import HeadgateRedis
public import Logging
public import ServiceLifecycle
internal import Synchronization

/// Sees in decisions that an account nears or reaches a limit, and puts an event into a stream in Redis.
///
/// There is at most one event per account, limit, threshold and window over all instances. Seeing costs no call of Redis. An event
/// can be lost with the process, or with an answer of Redis; none is doubled.
public final class LimitWatch: Service {
    let table: Mutex<WatchTable>
    let store: RedisStore
    let clock: any Clock<Duration>
    /// The time since the watch was made.
    let elapsed: @Sendable () -> Duration
    let telemetry: EventTelemetry

    private let thresholds: [Int]

    /// Creates a watch; nothing is sent until ``run()`` runs.
    ///
    /// - Parameters:
    ///   - store: Where events go; it has to be running.
    ///   - thresholds: The used shares, in percent, to be told of: below 100 as `limit.near`, 100 as `limit.reached`.
    ///   - mostWaiting: How many events may wait; what is beyond is dropped, and counted in `headgate_events_dropped_total`.
    ///   - mostKnown: How many events are known to have been emitted; more only cost questions to Redis.
    ///   - logger: Told of failures, at debug level.
    ///   - clock: By what windows and pauses are timed.
    /// - Throws: ``LimiterError/Code/badRequest`` when a threshold is not 1 to 100.
    public init<C: Clock<Duration>>(
        _ store: RedisStore,
        thresholds: [Int] = [80, 100],
        mostWaiting: Int = 10_000,
        mostKnown: Int = 50_000,
        logger: Logger = Logger(label: "headgate.events"),
        clock: C = ContinuousClock()
    ) throws(LimiterError) {
        guard thresholds.allSatisfy((1...100).contains) else {
            throw LimiterError(.badRequest, "a threshold is out of range; expected 1 to 100 percent")
        }
        self.store = store
        self.thresholds = Set(thresholds).sorted()
        self.clock = clock
        telemetry = EventTelemetry(logger: logger)
        table = Mutex(WatchTable(mostWaiting: mostWaiting, mostKnown: mostKnown))
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
    }

    /// Looks at a decision; nothing is sent, and nothing waited for.
    ///
    /// What was decided without the store says nothing of any count.
    public func observe(_ decision: Decision, for identity: Identity) {
        guard let time = decision.time else { return }
        for status in decision.limits {
            guard let use = LimitUse(status) else { continue }
            for percent in thresholds where use.reaches(percent) {
                let key = Crossing.Key(identity: identity, limit: status.id, percent: percent)
                let crossing = Crossing(key: key, status: status, use: use, time: time)
                let now = elapsed()
                if table.withLock({ $0.note(crossing, at: now) }) == .dropped { telemetry.dropped(1, .full) }
            }
        }
    }

    /// How many events wait to be emitted.
    var waiting: Int { table.withLock(\.queue.count) }
}
