public import Headgate
public import HeadgateRedis
public import Logging
public import ServiceLifecycle
internal import Synchronization

/// Counts decisions in the process, and adds them to each account's usage in Redis in batches.
///
/// Each decision is exactly one of allowed, denied and degraded. Counting costs no call of Redis; a process that is killed loses
/// what it counted since its last flush, one that is shut down loses nothing. No decision is counted twice: a batch whose
/// answer was lost is given up, one that certainly did not run is sent again.
public final class UsageRecorder: Service {
    /// Sends a command of Redis.
    typealias Send = @Sendable (_ command: [String]) async throws(LimiterError) -> Void

    let shards: [Shard]
    let send: Send
    let keyPrefix: String
    let interval: Duration
    let clock: any Clock<Duration>
    let storeClock: StoreClock
    let telemetry: UsageTelemetry

    /// Accounts that are counted under one lock.
    final class Shard: Sendable {
        let tally: Mutex<UsageTally>

        init(mostEntries: Int) { tally = Mutex(UsageTally(mostEntries: mostEntries)) }
    }

    private static let shardCount = 16

    /// Creates a recorder; nothing is sent until ``run()`` runs.
    ///
    /// - Parameters:
    ///   - store: Where usage is kept; it has to be running.
    ///   - interval: The time between flushes, longer than zero.
    ///   - mostEntries: About how many different counts (account, minute, class, endpoint, outcome) may wait; what is beyond is
    ///     dropped, and counted in `headgate_usage_dropped_total`.
    ///   - logger: Told of failures, at debug level.
    ///   - clock: By what flushes are timed, and the time of degraded decisions is estimated.
    public convenience init(
        _ store: RedisStore,
        interval: Duration = .milliseconds(500),
        mostEntries: Int = 100_000,
        logger: Logger = Logger(label: "headgate.usage"),
        clock: some Clock<Duration> = ContinuousClock()
    ) {
        self.init(
            keyPrefix: store.configuration.keyPrefix,
            interval: interval,
            mostEntries: mostEntries,
            logger: logger,
            clock: clock,
            // No caller waits for it: it may take longer than a decision.
            send: { command throws(LimiterError) in _ = try await store.command(command, within: .seconds(1)) }
        )
    }

    init(
        keyPrefix: String = "hg",
        interval: Duration = .milliseconds(500),
        mostEntries: Int = 100_000,
        logger: Logger = Logger(label: "headgate.usage"),
        clock: some Clock<Duration> = ContinuousClock(),
        send: @escaping Send
    ) {
        self.keyPrefix = keyPrefix
        self.interval = interval
        self.clock = clock
        self.send = send
        storeClock = StoreClock(clock)
        telemetry = UsageTelemetry(logger: logger)
        let each = max(1, mostEntries / UsageRecorder.shardCount)
        shards = (0..<UsageRecorder.shardCount).map { _ in Shard(mostEntries: each) }
    }

    /// Counts a decision; nothing is sent, and nothing waited for.
    public func record(_ decision: Decision, for identity: Identity) {
        let minute = UsageResolution.minute.start(of: storeClock.time(of: decision))
        let entry = UsageTally.Entry(identity: identity, minute: minute, field: UsageField(decision))
        if shard(of: identity).tally.withLock({ $0.add(1, to: entry) }) == .dropped { telemetry.dropped(1, .full) }
    }

    /// Where an account is counted.
    func shard(of identity: Identity) -> Shard {
        shards[Int(UInt(bitPattern: identity.hashValue) % UInt(shards.count))]
    }

    /// How many entries wait to be sent.
    var waiting: Int { shards.reduce(0) { $0 + $1.tally.withLock(\.counts.count) } }
}
