import HTTPTypes
import NIOCore
import NIOHTTP1

/// The answer is complete, although the upstream did not read its request to the end.
struct AnsweredEarly: Error {}

/// Stands between AsyncHTTPClient and a connection to the upstream, for what its interface does not offer.
///
/// It writes the target as the client sent it (a `URL` would be written in another form), keeps the answer's trailers, times the
/// upstream, and breaks off what nobody waits for.
final class UpstreamHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private let exchanges: Exchanges
    private var machine: UpstreamMachine
    private var exchange: Exchange?
    private var isReused = false
    private var status = HTTPResponseStatus.ok
    private var alarm = Alarm()

    init(_ upstream: Upstream, exchanges: Exchanges) {
        self.exchanges = exchanges
        machine = UpstreamMachine(upstream)
    }

    func handlerRemoved(context: ChannelHandlerContext) { alarm.clear() }

    func channelInactive(context: ChannelHandlerContext) {
        alarm.clear()
        context.fireChannelInactive()
        exchange?.wasSent()
        exchange = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? Exchange.Abandoned else { return context.fireUserInboundEventTriggered(event) }
        if event.exchange === exchange { context.fireErrorCaught(ClientGone()) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let now = context.eventLoop.now
        switch unwrapOutboundIn(data) {
        case .head(var head):
            machine.requestHead(at: now)
            begin(&head, context)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            machine.progress(at: now)
            context.write(data, promise: promise)
        case .end:
            machine.requestEnd(at: now)
            context.write(data, promise: promise)
            exchange?.wasSent()
            if machine.isIdle { exchange = nil }
        }
        setAlarm(context)
    }

    func read(context: ChannelHandlerContext) {
        machine.wants(at: context.eventLoop.now)
        setAlarm(context)
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        machine.wantsNoMore()
        context.fireChannelReadComplete()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = context.eventLoop.now
        switch unwrapInboundIn(data) {
        case .head(let head) where head.status.code < 200:
            machine.progress(at: now)
        case .head(let head):
            machine.answerHead(at: now)
            status = head.status
        case .body:
            machine.progress(at: now)
        case .end(let trailers):
            exchange?.trailers = trailers.map { HTTPFields(trailers: $0) }
            return end(context, data)
        }
        context.fireChannelRead(data)
    }
}

extension UpstreamHandler {
    private func begin(_ head: inout HTTPRequestHead, _ context: ChannelHandlerContext) {
        exchange = exchanges.take(&head.headers)
        guard let exchange else { return }
        head.uri = exchange.target
        if !exchange.begin(on: context.channel, isReused: isReused) {
            // Behind this write, in the middle of which AsyncHTTPClient is.
            context.eventLoop.assumeIsolated().execute {
                if exchange === self.exchange { context.fireErrorCaught(ClientGone()) }
            }
        }
        isReused = true
    }

    private func end(_ context: ChannelHandlerContext, _ data: NIOAny) {
        // From 300 on, AsyncHTTPClient stops to send the body and closes the connection, but its task that waits to send the next
        // part waits for ever. An error ends both; it comes behind the parts that the task of the answer has not taken yet, unless
        // they are held back because it takes none.
        let isCutShort = machine.isSending && status.code >= 300 && machine.isWanted
        machine.answerEnd(at: context.eventLoop.now)
        setAlarm(context)
        if isCutShort {
            context.fireChannelReadComplete()
            context.fireErrorCaught(AnsweredEarly())
        } else {
            // Before the connection is given to the next request, which can happen at once.
            if machine.isIdle { exchange = nil }
            context.fireChannelRead(data)
        }
    }

    private func setAlarm(_ context: ChannelHandlerContext) {
        alarm.set(machine.deadline, on: context.eventLoop) { self.wake(context) }
    }

    private func wake(_ context: ChannelHandlerContext) {
        alarm.clear()
        guard let deadline = machine.deadline, deadline <= context.eventLoop.now else { return setAlarm(context) }
        context.fireErrorCaught(GatewayError(.timeout))
    }
}
