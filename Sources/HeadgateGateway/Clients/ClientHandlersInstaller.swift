import NIOCore
import NIOHTTP1

/// Puts the handlers of a client's connection right behind the HTTP parser, where a request is still as it was sent.
///
/// Hummingbird adds handlers behind its own codec, which drops the version, joins `Host` with the target, and turns bytes that
/// are not allowed into blanks.
final class ClientHandlersInstaller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let patience: ClientPatience

    init(patience: ClientPatience) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandlers([RequestRulesHandler(), ClientHandler(patience: patience)], position: .after(parser))
        } catch {
            // Without the handlers nothing would hold a client to anything.
            context.close(promise: nil)
        }
    }
}
