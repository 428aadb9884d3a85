import NIOCore
import NIOHTTP1

extension ClientHandler {
    func start(_ context: ChannelHandlerContext) {
        machine = ClientMachine(patience: patience, now: context.eventLoop.now)
        setAlarm(context)
    }

    func setAlarm(_ context: ChannelHandlerContext) {
        alarm.set(machine.deadline, on: context.eventLoop) { self.wake(context) }
    }

    private func wake(_ context: ChannelHandlerContext) {
        alarm.clear()
        switch machine.verdict(at: context.eventLoop.now) {
        case .wait:
            setAlarm(context)
        case .refuse:
            let fields: HTTPHeaders = ["Connection": "close", "Content-Length": "0"]
            let head = HTTPResponseHead(version: .http1_1, status: .requestTimeout, headers: fields)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.end(nil)), promise: nil)
            end(context)
        case .end:
            end(context)
        case .close:
            context.close(promise: nil)
        }
    }

    /// Ends the connection behind what is written: the client has time to read it, and whoever reads a body meets an error.
    func end(_ context: ChannelHandlerContext) {
        let isCutOff = machine.isInRequest
        machine.end(at: context.eventLoop.now)
        gone()
        if isCutOff { context.fireErrorCaught(ClientGone()) }
        context.flush()
        context.close(mode: .output, promise: nil)
        context.read()
        setAlarm(context)
    }

    /// Closes as the client needs it: Hummingbird closes over an answer that is not sent yet, and half-closes without an end.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if framing.isEndedByClose {
            // A plain end would be taken for the end of the answer, which has broken off: lingering for 0 s is a reset. POSIX has
            // `struct linger` as two ints, on and the seconds.
            let sockets = context.channel as? any SocketOptionProvider
            _ = sockets?.unsafeSetSocketOption(level: .socket, name: .so_linger, value: (CInt(1), CInt(0)))
            context.close(mode: .all, promise: promise)
        } else if mode == .output {
            machine.end(at: context.eventLoop.now)
            setAlarm(context)
            context.close(mode: .output, promise: promise)
        } else if mode == .all, machine.isEnding || (machine.isAnswered && unsent > 0) {
            if !machine.isEnding { end(context) }
            context.channel.closeFuture.cascade(to: promise)
        } else {
            context.close(mode: mode, promise: promise)
        }
    }

    func gone() {
        onGone?()
        onGone = nil
    }

    /// Ends a body here, for whoever reads it, and the connection with the answer.
    func abandonBody(_ context: ChannelHandlerContext) {
        guard machine.isInRequest, !machine.isEnding else { return }
        machine.requestEnd(at: context.eventLoop.now)
        isDeaf = true
        framing.endAfterAnswer()
        context.fireChannelRead(wrapInboundOut(.end(nil)))
        context.fireChannelReadComplete()
        if machine.isAnswered { end(context) }
    }
}
