import NIOCore
import NIOHTTP1

/// Holds a client to its patience, gives answers the form that requests ask for, and tells who waits when the client is gone.
final class ClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    let patience: ClientPatience
    var machine: ClientMachine
    var framing = AnswerFraming()
    var alarm = Alarm()
    /// Whether the rest of the request is dropped.
    var isDeaf = false
    /// The answers that are written and not sent yet.
    var unsent = 0
    var onGone: (@Sendable () -> Void)?
    private var mayContinue = false
    private var status = HTTPResponseStatus.ok

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
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        // Nobody reads the answer that is being made; its maker is told when the channel is inactive.
        if event as? ChannelEvent == .inputClosed, onGone != nil { context.close(promise: nil) }
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
