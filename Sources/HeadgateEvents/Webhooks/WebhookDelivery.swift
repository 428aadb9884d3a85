internal import Headgate
public import HeadgateRedis
public import Logging
public import ServiceLifecycle
internal import Synchronization

/// Delivers each event of the stream to one receiver, at least once, signed by the Standard Webhooks specification.
///
/// All instances share the work. An event is delivered by a 2xx status; else it is sent again after 1, 2, 4 ... seconds at most, 8
/// times in all, and then given up; 410 gives up at once. Its `webhook-id` is the same each time, so that a receiver can tell. While
/// the receiver is away the stream keeps about the latest 10,000.
public final class WebhookDelivery: Service {
    /// Events that this instance holds, those that wait to be sent again among them.
    static let mostHeld = 256

    let book: Mutex<DeliveryBook>
    let stream: EventStream
    let configuration: WebhookConfiguration
    let clock: any Clock<Duration>
    /// The time since the delivery was made.
    let elapsed: @Sendable () -> Duration
    let telemetry: EventTelemetry

    /// Creates a delivery; nothing is sent until ``run()`` runs.
    ///
    /// - Parameters:
    ///   - store: Where events are; it has to be running.
    ///   - configuration: Where to deliver to.
    ///   - logger: Told of events that were given up, at warning level, and of failures, at debug level; of no account.
    ///   - clock: By what attempts and pauses are timed.
    public init<C: Clock<Duration>>(
        _ store: RedisStore,
        _ configuration: WebhookConfiguration,
        logger: Logger = Logger(label: "headgate.webhooks"),
        clock: C = ContinuousClock()
    ) {
        self.configuration = configuration
        self.clock = clock
        stream = EventStream(store: store, consumer: Lease.makeID())
        telemetry = EventTelemetry(logger: logger)
        book = Mutex(
            DeliveryBook(
                schedule: configuration.schedule,
                mostHeld: WebhookDelivery.mostHeld,
                mostUnderway: configuration.mostUnderway
            )
        )
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
    }

    /// Sends what is due, one after the other, until nothing is.
    func work(_ sender: some WebhookSender) async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let now = elapsed()
            guard let delivery = book.withLock({ $0.next(at: now) }) else { return }
            let message = WebhookMessage(delivery.event, entry: delivery.id, at: .now, signedWith: configuration.secret)
            let answer = await sender.send(message)
            // A shutdown cut it off, which is no answer: the event stays pending for another instance.
            guard !Task.isCancelled else { return }
            let end = elapsed()
            let verdict = book.withLock { book in
                var random = SystemRandomNumberGenerator()
                return book.finish(delivery, answer, at: end, using: &random)
            }
            telemetry.attempted(delivery.attempt, answer, verdict)
            await acknowledge()
        }
    }

    /// Acknowledges what is over; what Redis does not take is tried again with the next.
    func acknowledge() async {
        let settled = book.withLock(\.settled)
        do throws(LimiterError) {
            try await stream.acknowledge(settled)
            book.withLock { $0.forget(settled) }
        } catch {
            telemetry.failed(error)
        }
    }
}
