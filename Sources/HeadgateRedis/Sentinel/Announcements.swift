internal import NIOCore

/// Listens to what one sentinel announces: that the master has moved.
///
/// Whatever comes is only a reason to ask all sentinels; what it says is not read.
final class Announcements: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let greeting: [UInt8]
    private let announced: @Sendable () -> Void

    init(greeting: [UInt8], announced: @escaping @Sendable () -> Void) {
        self.greeting = greeting
        self.announced = announced
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: greeting)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { announced() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
