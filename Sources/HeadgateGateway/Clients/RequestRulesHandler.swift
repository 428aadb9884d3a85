import NIOCore
import NIOHTTP1

/// Turns a request that breaks the rules into an error of the parser, which Hummingbird answers 400 in its turn.
///
/// No byte of the connection is read as a request afterwards.
final class RequestRulesHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        if case .head(let head) = unwrapInboundIn(data), !RequestRules.allow(head) {
            hasRefused = true
            context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
        } else {
            context.fireChannelRead(data)
        }
    }
}
