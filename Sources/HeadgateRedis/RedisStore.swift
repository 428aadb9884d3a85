public import Headgate
public import Logging
public import NIOCore
public import NIOPosix
internal import Synchronization
internal import Tracing

/// Counts in one Redis server, shared by all processes that use it.
///
/// It connects, and connects again, while its ``run()`` runs. Every call returns within the configured deadline; a call is sent
/// a second time only when Redis certainly did not run it the first time.
public final class RedisStore: LimitStore {
    /// How the store was configured.
    public let configuration: RedisConfiguration

    let node: Node
    let load: Load
    let telemetry: RedisTelemetry
    let script: RedisScript
    let keys: KeySpace
    let isStarted = Atomic<Bool>(false)

    private let lastNonce: Atomic<Int64>
    private let tracer: (any Tracer)?

    /// Creates a store.
    ///
    /// Nothing is sent, and calls wait, until ``run()`` runs.
    ///
    /// Bootstrap logging, metrics and tracing before: the store asks for their systems once, here.
    ///
    /// - Parameters:
    ///   - configuration: Where Redis is, and how long to wait for it.
    ///   - logger: Told of connections and of nothing else, at debug level.
    ///   - eventLoopGroup: Whose threads carry the connections.
    /// - Throws: ``LimiterError/Code/badRequest`` when the configuration makes no sense. Redis is not asked.
    public convenience init(
        _ configuration: RedisConfiguration = RedisConfiguration(),
        logger: Logger = Logger(label: "headgate.redis"),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(LimiterError) {
        let dialer = Dialer(endpoint: configuration.endpoint, timeout: TimeAmount(configuration.connectTimeout))
        try self.init(
            configuration,
            script: RedisScript.headgate(),
            logger: logger,
            eventLoopGroup: eventLoopGroup,
            dial: { dialer.dial(on: $0, $1) }
        )
    }

    init(
        _ configuration: RedisConfiguration,
        script: RedisScript,
        logger: Logger,
        eventLoopGroup: any EventLoopGroup,
        dial: @escaping LaneSettings.Dial
    ) throws(LimiterError) {
        try configuration.validate()
        self.configuration = configuration
        self.script = script
        keys = try KeySpace(prefix: configuration.keyPrefix)
        load = Load(configuration.bounds)
        telemetry = RedisTelemetry(logger: logger)
        let settings = LaneSettings(configuration: configuration, script: script, telemetry: telemetry, dial: dial)
        node = Node(settings: settings, group: eventLoopGroup)
        lastNonce = Atomic(Int64.random(in: 0...ScriptCall.largestNumber))
        // Asked once: without a tracer, a span must not cost anything.
        let tracer = InstrumentationSystem.tracer
        self.tracer = tracer is NoOpTracer ? nil : tracer
    }
}

extension RedisStore {
    /// The script's context for one call, with a nonce that no call under way has.
    var context: ScriptContext {
        let nonce = lastNonce.wrappingAdd(1, ordering: .relaxed).newValue & ScriptCall.largestNumber
        return ScriptContext(script: script, keys: keys, nonce: nonce)
    }

    /// When a call that comes in now has to be answered.
    var deadline: NIODeadline { node.now + TimeAmount(configuration.deadline) }

    /// Runs the script and waits for its answer.
    func run(_ script: ScriptCall, by deadline: NIODeadline) async throws(LimiterError) -> ScriptReply {
        try await run(makeCall(script, by: deadline))
    }

    /// Runs a call of the script and waits for its answer.
    func run(_ call: Call) async throws(LimiterError) -> ScriptReply {
        guard case .integers(let integers) = try await answer(to: call) else {
            throw LimiterError(.wireProtocol, "the script's answer is no list of numbers", charge: .unknown)
        }
        return ScriptReply(integers)
    }

    /// A call of the script, with its share of what may wait.
    func makeCall(_ script: ScriptCall, by deadline: NIODeadline) throws(LimiterError) -> Call {
        try makeCall(
            script.frame,
            expecting: .integers(count: script.replyCount, nonce: script.nonce),
            weight: script.weight,
            by: deadline
        )
    }

    /// A call with its share of what may wait.
    func makeCall(
        _ frame: [UInt8],
        expecting expectation: Call.Expectation,
        weight: Int,
        by deadline: NIODeadline
    ) throws(LimiterError) -> Call {
        do {
            let share = try load.take(decisions: weight, bytes: frame.count)
            return Call(frame: frame, expecting: expectation, deadline: deadline, share: share)
        } catch {
            telemetry.failed(error)
            throw error
        }
    }

    /// Sends a call and waits for its reply, in a span of its own when somebody traces.
    func answer(to call: Call) async throws(LimiterError) -> RedisReply {
        let start = node.now
        let answer: Call.Answer
        if let tracer {
            answer = await tracer.withSpan(RedisTelemetry.spanName, ofKind: .client) { span in
                span.attributes["db.system.name"] = "redis"
                let answer = await sent(call)
                if case .failure(let error) = answer {
                    span.attributes["error.type"] = error.code.description
                    span.setStatus(SpanStatus(code: .error))
                }
                return answer
            }
        } else {
            answer = await sent(call)
        }
        switch answer {
        case .success(let reply):
            telemetry.answered(in: .nanoseconds((node.now - start).nanoseconds))
            return reply
        case .failure(let error):
            telemetry.failed(error)
            throw error
        }
    }

    private func sent(_ call: Call) async -> Call.Answer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                if call.begin({ caller.resume(returning: $0) }) { node.submit(Attempt(call)) }
            }
        } onCancel: {
            call.giveUp(.cancelled, "the calling task was cancelled")
        }
    }
}
