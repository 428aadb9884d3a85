public import Headgate
public import Logging
public import NIOCore
public import NIOPosix
internal import Synchronization
internal import Tracing

/// Counts in Redis, shared by all processes that use it: in one server, in the master that sentinels name, or in a cluster.
///
/// It connects, and connects again, while its ``run()`` runs. Every call returns within the configured deadline; a call is sent
/// a second time only when Redis certainly did not run it the first time. A server that gives no answers is not waited for: calls
/// fail at once until it does.
public final class RedisStore: LimitStore {
    /// How the store was configured.
    public let configuration: RedisConfiguration

    let router: any Router
    /// Makes the calls of callers, and those that the store makes for itself.
    let calls: CallMaker
    let ownCalls: CallMaker
    /// What is denied for a time; `nil` when denials are not remembered.
    let denials: DenialCache?
    let denialWatch: DenialWatch
    let telemetry: RedisTelemetry
    let isStarted = Atomic<Bool>(false)
    /// How many processes share the counts, as far as is known.
    let knownInstances = Atomic<Int>(1)

    private let tracer: (any Tracer)?

    /// Creates a store.
    ///
    /// Nothing is sent, and calls wait, until ``run()`` runs.
    ///
    /// Bootstrap logging, metrics and tracing before: the store asks for their systems once, here.
    ///
    /// - Parameters:
    ///   - configuration: Where Redis is, and how long to wait for it.
    ///   - logger: Told of connections at debug level, and of what operators have to know at higher ones.
    ///   - eventLoopGroup: Whose threads carry the connections.
    /// - Throws: ``LimiterError/Code/badRequest`` when the configuration makes no sense. Redis is not asked.
    public convenience init(
        _ configuration: RedisConfiguration = RedisConfiguration(),
        logger: Logger = Logger(label: "headgate.redis"),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(LimiterError) {
        try self.init(configuration, script: RedisScript.headgate(), logger: logger, eventLoopGroup: eventLoopGroup)
    }

    init(
        _ configuration: RedisConfiguration,
        script: RedisScript,
        logger: Logger,
        eventLoopGroup: any EventLoopGroup
    ) throws(LimiterError) {
        try configuration.validate()
        self.configuration = configuration
        telemetry = RedisTelemetry(logger: logger)
        let isCluster = if case .cluster = configuration.topology { true } else { false }
        calls = CallMaker(
            script: script,
            keys: try KeySpace(prefix: configuration.keyPrefix),
            load: Load(configuration.bounds),
            isCluster: isCluster
        )
        // What the store asks for itself takes nothing of its callers' room.
        let ownCalls = CallMaker(
            script: script,
            keys: calls.keys,
            load: Load(RedisConfiguration.Bounds(decisions: 4_096, bytes: 1024 * 1024)),
            isCluster: isCluster
        )
        self.ownCalls = ownCalls
        let router = try configuration.router(ownCalls, telemetry: telemetry, group: eventLoopGroup)
        self.router = router
        denials = configuration.rememberedDenials > 0 ? DenialCache(atMost: configuration.rememberedDenials) : nil
        denialWatch = DenialWatch(denials, router: router, calls: ownCalls)
        // Asked once: without a tracer, a span must not cost anything.
        let tracer = InstrumentationSystem.tracer
        self.tracer = tracer is NoOpTracer ? nil : tracer
    }

    var load: Load { calls.load }
    var keys: KeySpace { calls.keys }

    /// How many live instances share the counts, this one included; the last known number while Redis is away.
    public var instances: Int { knownInstances.load(ordering: .relaxed) }
}

extension RedisStore {
    /// The script's context for one call.
    var context: ScriptContext { calls.context }

    /// When a call that comes in now has to be answered.
    var deadline: NIODeadline { router.now + TimeAmount(configuration.deadline) }

    /// Runs the script and waits for its answer.
    func run(_ script: ScriptCall, by deadline: NIODeadline) async throws(LimiterError) -> ScriptReply {
        try await run(makeCall(script, by: deadline))
    }

    /// Runs a call of the script and waits for its answer.
    func run(_ call: Call, since start: NIODeadline? = nil) async throws(LimiterError) -> ScriptReply {
        guard case .integers(let integers) = try await answer(to: call, since: start) else {
            throw LimiterError(.wireProtocol, "the script's answer is no list of numbers", charge: .unknown)
        }
        return ScriptReply(integers)
    }

    /// A call of the script, with its share of what may wait.
    func makeCall(_ script: ScriptCall, by deadline: NIODeadline) throws(LimiterError) -> Call {
        try noted { () throws(LimiterError) in try calls.call(script, by: deadline) }
    }

    /// A call of decisions: one travels with those of others, several are a call by themselves.
    func makeCall(_ decisions: ArraySlice<StoreDecision>, by deadline: NIODeadline) throws(LimiterError) -> Call {
        guard decisions.count == 1, let decision = decisions.first, decision.count == 1 else {
            return try makeCall(.decide(decisions, context), by: deadline)
        }
        return try noted { () throws(LimiterError) in try calls.call(decision, by: deadline) }
    }

    /// A call of another command.
    func makeCall(_ arguments: [String], by deadline: NIODeadline) throws(LimiterError) -> Call {
        try noted { () throws(LimiterError) in try calls.call(arguments, by: deadline) }
    }

    /// Makes a call; that it cannot be made is counted.
    func noted(_ make: () throws(LimiterError) -> Call) throws(LimiterError) -> Call {
        do { return try make() } catch {
            telemetry.failed(error)
            throw error
        }
    }

    /// Sends a call and waits for its reply, in a span of its own when somebody traces.
    func answer(to call: Call, since start: NIODeadline? = nil) async throws(LimiterError) -> RedisReply {
        let start = start ?? router.now
        let answer = if let tracer { await traced(call, by: tracer) } else { await call.answer { [router] in router.submit($0) } }
        switch answer {
        case .success(let reply):
            telemetry.answered(in: .nanoseconds((router.now - start).nanoseconds))
            return reply
        case .failure(let error):
            telemetry.failed(error)
            throw error
        }
    }

    private func traced(_ call: Call, by tracer: any Tracer) async -> Call.Answer {
        await tracer.withSpan(RedisTelemetry.spanName, ofKind: .client) { span in
            span.attributes["db.system.name"] = "redis"
            let answer = await call.answer { [router] in router.submit($0) }
            if case .failure(let error) = answer {
                span.attributes["error.type"] = error.code.description
                span.setStatus(SpanStatus(code: .error))
            }
            return answer
        }
    }
}
