import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A server whose every byte a test writes, over a socket.
final class HostileServer: Sendable {
    /// What a connection that has sent a request is answered with.
    enum Move: Sendable {
        /// These bytes, and the connection stays.
        case say(String)
        /// These bytes, and then ever more: the second again and again.
        case neverEnd(String, String)
        /// These bytes, and the connection ends.
        case breakOff(String)
        /// The connection is reset.
        case reset
        /// Nothing, for ever.
        case silence
    }

    private let count = Mutex(0)

    /// Requests that came.
    var requests: Int { count.withLock { $0 } }

    /// Runs a body with the address of a server that makes the same move each time.
    static func run<Result>(_ move: Move, _ body: (String, HostileServer) async throws -> Result) async throws -> Result {
        let server = HostileServer()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(server: server, move: move))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let port = try #require(listener.localAddress?.port)
        do {
            let result = try await body("http://127.0.0.1:\(port)/", server)
            try await listener.close()
            return result
        } catch {
            try await listener.close()
            throw error
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        let server: HostileServer
        let move: Move
        var received = ""

        init(server: HostileServer, move: Move) {
            self.server = server
            self.move = move
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            guard received.contains("\r\n\r\n") else { return }
            received = ""
            server.count.withLock { $0 += 1 }
            switch move {
            case .silence: break
            case .say(let text): write(text, context)
            case .neverEnd(let text, let part):
                write(text, context)
                goOn(part, context)
            case .breakOff(let text):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).assumeIsolated().whenComplete { _ in
                    context.close(promise: nil)
                }
            case .reset:
                // Bytes that were not read make the system answer with a reset.
                context.close(promise: nil)
            }
        }

        /// Another part, and another.
        private func goOn(_ part: String, _ context: ChannelHandlerContext) {
            guard context.channel.isActive else { return }
            write(part, context)
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { self.goOn(part, context) }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }
}
