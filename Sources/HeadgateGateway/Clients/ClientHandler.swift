import NIOCore
import NIOHTTP1

/// Holds a client to its patience, gives answers the form that requests ask for, and tells who waits when the client is gone.
final class ClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let patience: ClientPatience
    private var machine: ClientMachine
    private var framing = AnswerFraming()
    private var status = HTTPResponseStatus.ok
    private var onGone: (@Sendable () -> Void)?
    private var mayContinue = false
    private var isDeaf = false
    /// The answers that are written and not sent yet.
    private var unsent = 0
    private var alarm = Alarm()

    init(patience: ClientPatience) {
        self.patience = patience
        machine = ClientMachine(patience: patience, now: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { alarm.clear() }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        alarm.clear()
        gone()
        // Else the rest of a body would be missing silently.
        if machine.isInRequest { context.fireErrorCaught(ClientGone()) }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        guard event as? ChannelEvent == .inputClosed, onGone != nil else { return }
        gone()
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        machine.writability(context.channel.isWritable, at: context.eventLoop.now)
        setAlarm(context)
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !machine.isEnding, !isDeaf else { return }
        let now = context.eventLoop.now
        switch unwrapInboundIn(data) {
        case .head(let head):
            machine.requestHead(at: now)
            framing.request(head)
            mayContinue = head.version == .http1_1 && head.headers.first(name: "Expect")?.lowercased() == "100-continue"
        case .body:
            machine.requestPart(at: now)
            mayContinue = false
        case .end:
            machine.requestEnd(at: now)
            mayContinue = false
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        machine.wantsNoMore(at: context.eventLoop.now)
        setAlarm(context)
        context.fireChannelReadComplete()
        // What a client still sends is read and dropped, so that the kernel does not reset the connection under the answer.
        if machine.isEnding { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        machine.wants(at: context.eventLoop.now)
        setAlarm(context)
        context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !machine.isEnding else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            framing.answer(&head)
            status = head.status
            if status.code >= 200 { machine.answerHead() }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            let end = framing.answerEnd()
            machine.answerEnd(at: context.eventLoop.now, isRefusal: status.code >= 400)
            let sent = promise ?? context.eventLoop.makePromise()
            unsent += 1
            sent.futureResult.assumeIsolated().whenComplete { _ in self.unsent -= 1 }
            context.write(end.isHidden ? wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))) : data, promise: sent)
            if end.isLast { self.end(context) } else { setAlarm(context) }
        }
    }

    /// Closes the connection, behind an answer that is not sent yet: Hummingbird closes as soon as it has written one.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all, machine.isAnswered, unsent > 0 { end(context) }
        guard mode == .all, machine.isEnding else { return context.close(mode: mode, promise: promise) }
        context.channel.closeFuture.cascade(to: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let event = event as? ClientEvent else { return context.triggerUserOutboundEvent(event, promise: promise) }
        switch event {
        case .watch(let onGone):
            self.onGone = onGone
            if machine.isEnding || !context.channel.isActive { gone() }
        case .unwatch:
            onGone = nil
        case .continueBody where mayContinue && !machine.isEnding:
            mayContinue = false
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        case .continueBody:
            break
        case .abandonBody:
            abandonBody(context)
        }
        promise?.succeed()
    }
}

extension ClientHandler {
    private func start(_ context: ChannelHandlerContext) {
        machine = ClientMachine(patience: patience, now: context.eventLoop.now)
        setAlarm(context)
    }

    private func setAlarm(_ context: ChannelHandlerContext) {
        alarm.set(machine.deadline, on: context.eventLoop) { self.wake(context) }
    }

    private func wake(_ context: ChannelHandlerContext) {
        alarm.clear()
        switch machine.verdict(at: context.eventLoop.now) {
        case .wait:
            setAlarm(context)
        case .refuse:
            let head = HTTPResponseHead(
                version: .http1_1,
                status: .requestTimeout,
                headers: ["Connection": "close", "Content-Length": "0"]
            )
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            end(context)
        case .end:
            end(context)
        case .close:
            context.close(promise: nil)
        }
    }

    /// Closes our side behind what was written, and the whole when the client has closed its own or does not.
    private func end(_ context: ChannelHandlerContext) {
        let isCutOff = machine.isInRequest
        machine.end(at: context.eventLoop.now)
        gone()
        if isCutOff { context.fireErrorCaught(ClientGone()) }
        context.flush()
        context.close(mode: .output, promise: nil)
        context.read()
        setAlarm(context)
    }

    private func gone() {
        onGone?()
        onGone = nil
    }

    private func abandonBody(_ context: ChannelHandlerContext) {
        guard machine.isInRequest, !machine.isEnding else { return }
        machine.requestEnd(at: context.eventLoop.now)
        isDeaf = true
        framing.endAfterAnswer()
        context.fireChannelRead(wrapInboundOut(.end(nil)))
        context.fireChannelReadComplete()
        if machine.isAnswered { end(context) }
    }
}
