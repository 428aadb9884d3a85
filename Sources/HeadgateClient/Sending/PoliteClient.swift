public import AsyncHTTPClient
internal import Foundation
internal import Headgate
public import Logging
internal import Synchronization

/// Calls APIs that limit their callers, and does what such APIs ask of them.
///
/// ```swift
/// let client = PoliteClient(HTTPClient.shared)  // was: HTTPClient.shared
/// let response = try await client.execute(request, timeout: .seconds(30))
/// ```
///
/// Calls wait their turn by what earlier answers said is left, are sent again when that makes sense, and GETs are answered from memory
/// where the server allows it. Everything runs in the callers' tasks: there is nothing to start or to stop. One client serves any
/// number of tasks, servers and API keys; limits are known by key, so use one client for all of a program.
public final class PoliteClient: Sendable {
    let transport: any Transport
    let configuration: ClientConfiguration
    let delegate: any ClientDelegate
    let telemetry: ClientTelemetry
    let gate: Gate
    let cache: CacheShell
    let clock: any Clock<Duration>
    /// The time since the client was made.
    let elapsed: @Sendable () -> Duration
    /// The local time since the epoch.
    let wallTime: @Sendable () -> Duration
    /// 0 up to 1.
    let random: @Sendable () -> Double
    let serverClocks = Mutex(ServerClocks())

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - client: What sends requests; it has to outlive this one.
    ///   - configuration: How to call.
    ///   - delegate: Told of each attempt.
    ///   - logger: Told of waits, at debug level, and of no address or key.
    public convenience init(
        _ client: HTTPClient = .shared,
        configuration: ClientConfiguration = ClientConfiguration(),
        delegate: any ClientDelegate = NoDelegate(),
        logger: Logger = Logger(label: "headgate.client")
    ) {
        self.init(
            transport: client,
            configuration: configuration,
            delegate: delegate,
            telemetry: ClientTelemetry(logger: logger),
            clock: ContinuousClock(),
            wallTime: { .seconds(Date().timeIntervalSince1970) },
            random: { Double.random(in: 0..<1) }
        )
    }

    init<C: Clock<Duration>>(
        transport: any Transport,
        configuration: ClientConfiguration,
        delegate: any ClientDelegate,
        telemetry: ClientTelemetry,
        clock: C,
        wallTime: @escaping @Sendable () -> Duration,
        random: @escaping @Sendable () -> Double
    ) {
        let start = clock.now
        let elapsed: @Sendable () -> Duration = { start.duration(to: clock.now) }
        self.transport = transport
        self.configuration = configuration
        self.delegate = delegate
        self.clock = clock
        self.elapsed = elapsed
        self.wallTime = wallTime
        self.random = random
        self.telemetry = telemetry
        cache = CacheShell(configuration.cache)
        gate = Gate(Lanes(pacing: configuration.pacing, queue: configuration.queue), clock: clock, elapsed: elapsed)
    }

    /// Calls that wait to be sent now.
    public var waiting: Int { gate.waiting }
}

/// The clocks of the servers that were called, a bounded number of them.
struct ServerClocks: Sendable {
    private var clocks: [String: ServerClock] = [:]

    /// Reads by a server's clock.
    mutating func read<Result>(_ server: String, _ body: (inout ServerClock) -> Result) -> Result {
        if clocks[server] == nil, clocks.count >= 256 { clocks.removeAll() }
        return body(&clocks[server, default: ServerClock()])
    }
}
