internal import Headgate
internal import NIOCore

/// The channel's end of one connection: moves bytes between the channel, the reader and the machine.
///
/// Lives on its lane's event loop and is told of nothing else. It ends once, by `end`.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Where the connection leads, once that is known.
    var endpoint: RedisEndpoint?

    private let settings: LaneSettings
    /// Held until the connection ends.
    private var owner: LaneCore?
    private var context: ChannelHandlerContext?
    private var machine: ConnectionMachine
    private var reader = ReplyReader()
    private var outbound = ByteBuffer()
    /// When the machine last said that a deadline comes next.
    private var nextDeadline: NIODeadline?
    /// When the last whole reply came: a server that is behind, and answers, has not stalled.
    private var lastReply = NIODeadline.uptimeNanoseconds(0)
    /// Whether what is being read holds answers to calls: the node serves.
    private var hasAnswers = false

    init(settings: LaneSettings, owner: LaneCore) {
        self.settings = settings
        self.owner = owner
        machine = ConnectionMachine(scriptDigest: settings.script?.digest ?? "")
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { greet(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(LimiterError(.connect, "the connection to Redis was taken down"))
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        greet(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(LimiterError(.connect, "Redis closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.connecting(error))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { owner?.connectionIsWritable(self) }
        context.fireChannelWritabilityChanged()
    }
}

// MARK: Out

extension ConnectionHandler {
    private func greet(_ context: ChannelHandlerContext) {
        do {
            let greeting = try Greeting(settings)
            if machine.greet(greeting.commands, at: context.eventLoop.now) {
                for frame in greeting.frames { outbound.writeBytes(frame) }
                flush()
            } else if machine.state == .closed {
                // The attempt was given up while it was under way.
                context.close(promise: nil)
            }
        } catch {
            end(error)
        }
    }

    /// Whether calls can be sent.
    var takesCalls: Bool { machine.state == .ready }

    /// Whether the channel has room for more bytes.
    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Sends calls in order; those whose caller has gone are dropped unsent.
    func send(_ attempts: CircularBuffer<Attempt>) {
        guard let context else { return }
        let now = context.eventLoop.now
        for attempt in attempts {
            if attempt.call.deadline <= now {
                attempt.call.giveUp(.deadlineExceeded, "the deadline passed before the call could be sent to Redis")
            } else if attempt.call.markSent() {
                append(attempt, at: now)
            }
        }
        flush()
    }

    private func append(_ attempt: Attempt, at now: NIODeadline) {
        guard machine.send(attempt, at: now) else {
            owner?.takeBack(attempt)
            return
        }
        if attempt.isAsking { outbound.writeBytes(LaneSettings.asking) }
        outbound.writeBytes(attempt.call.frame)
    }

    private func flush() {
        guard outbound.readableBytes > 0, let context else { return }
        let bytes = outbound
        outbound = context.channel.allocator.buffer(capacity: min(bytes.readableBytes, 64 * 1024))
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
}

// MARK: In

extension ConnectionHandler {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        do {
            while machine.state != .closed, let reply = try reader.next(from: &bytes) {
                lastReply = context.eventLoop.now
                perform(machine.receive(reply), at: lastReply)
            }
        } catch {
            end(LimiterError(.wireProtocol, "Redis broke its protocol: \(error.reason)"))
        }
        if hasAnswers {
            hasAnswers = false
            settings.health.answered()
        }
        flush()
        if machine.isSpent, case .draining(let code) = machine.state {
            end(LimiterError(code, "the server cannot serve us: \(code)"))
        }
        owner?.connectionMadeProgress()
    }

    private func perform(_ action: ConnectionMachine.Action, at now: NIODeadline) {
        switch action {
        case .none: break
        case .becomeReady: owner?.connectionIsReady(self)
        case .complete(let call, let reply):
            // A server may answer INFO and yet make no decisions; a sentinel is asked for nothing else.
            if call.isOfScript || settings.script == nil { hasAnswers = true }
            call.finish(.success(reply))
        case .fail(let call, let error):
            if error.code.isNodeTrouble { owner?.nodeFailed(error) } else if call.isOfScript { hasAnswers = true }
            call.finish(.failure(error))
        case .redirect(let attempt, let fault): redirect(attempt, fault)
        case .sendAgain(let attempt, let loadingScript): sendAgain(attempt, loadingScript: loadingScript, at: now)
        case .handOver(let attempt): owner?.takeBack(attempt)
        case .close(let error): end(error)
        }
        if case .draining = machine.state { owner?.connectionIsDraining(self) }
    }

    private func sendAgain(_ attempt: Attempt, loadingScript: Bool, at now: NIODeadline) {
        if loadingScript, let script = settings.script {
            machine.load(at: now)
            outbound.writeBytes(script.loading)
            settings.telemetry.reloadedScript()
        }
        guard attempt.call.markQueued(), attempt.call.markSent() else { return }
        append(attempt, at: now)
    }

    private func redirect(_ attempt: Attempt, _ fault: RedisFault) {
        guard let redirected = settings.redirected else { return attempt.call.finish(.failure(fault.scriptError)) }
        hasAnswers = true
        if attempt.call.markQueued() { redirected(attempt, fault, endpoint) }
    }
}

// MARK: Time and end

extension ConnectionHandler {
    /// When `tick` is due.
    var wakesAt: NIODeadline? {
        [nextDeadline, stalls].compactMap(\.self).min()
    }

    /// Whether a caller waits for a reply.
    var isAwaited: Bool { machine.isAwaited }

    /// Answers those whose deadline has come, and ends a connection that has stalled.
    func tick(at now: NIODeadline) {
        let (overdue, next) = machine.overdue(at: now)
        nextDeadline = next
        for call in overdue { call.giveUp(.deadlineExceeded, "Redis did not answer within the deadline") }
        if isSilent(at: now) {
            for _ in overdue { owner?.nodeFailed(LimiterError(.deadlineExceeded, "Redis does not answer within the deadline")) }
        }
        if let stalls, stalls <= now {
            end(LimiterError(.connect, "Redis owed an answer for \(settings.configuration.stallTimeout) and sent none"))
        }
    }

    /// Whether Redis had half of a deadline to say anything, and said nothing.
    ///
    /// A server that is behind but answers is not down, and a process that was itself kept waiting knows nothing of the server.
    func isSilent(at now: NIODeadline) -> Bool {
        let patience = TimeAmount(settings.configuration.deadline / 2)
        guard let sending = machine.oldestSending else { return false }
        return now - sending >= patience && now - lastReply >= patience
    }

    /// When the connection counts as stalled unless something comes.
    private var stalls: NIODeadline? { machine.stalls(after: stallTimeout).map { max($0, lastReply + stallTimeout) } }

    private var stallTimeout: TimeAmount { TimeAmount(settings.configuration.stallTimeout) }

    /// Ends the connection, once: whoever waits for a reply is told that it is unknown whether Redis ran the call.
    func end(_ error: LimiterError) {
        guard let owner else { return }
        self.owner = nil
        let calls = machine.close()
        context?.close(promise: nil)
        owner.connectionEnded(self, error, hadServed: machine.hasServed)
        for call in calls { call.finish(.failure(error.with(.unknown))) }
    }
}
