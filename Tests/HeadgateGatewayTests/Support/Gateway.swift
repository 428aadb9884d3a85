import HTTPTypes
import HeadgateGateway
import HeadgateHTTP
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A server that passes every request on, as `headgate serve --upstream` does behind its limits.
struct Gateway: Sendable {
    let port: Int
    let log: GatewayLog

    /// A connection to it.
    func connect(keepsText: Bool = true) async throws -> Peer { try await Peer.connect(to: port, keepsText: keepsText) }

    /// Runs a body with a gateway on a free port.
    static func run<Result: Sendable>(
        to upstream: Upstream,
        trust: ProxyTrust = .nobody,
        patience: ClientPatience = ClientPatience(linger: .milliseconds(200)),
        _ body: @escaping @Sendable (Gateway) async throws -> Result
    ) async throws -> Result {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let proxy = ReverseProxy(to: upstream, trust: trust, logger: logger)
        let log = GatewayLog()
        let (ports, source) = AsyncStream<Int>.makeStream()
        let application = Application(
            responder: CallbackResponder { request, context in await log.answer(request, context, proxy) },
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: patience.handlers(),
                    httpDecoderConfiguration: .init(maxHeaderFieldSize: 16 * 1_024, maxHeaderListSize: 16 * 1_024, maxHeaderFieldCount: 100)
                )
            ),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in source.yield(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [proxy, application], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            do {
                let result = try await body(Gateway(port: port, log: log))
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return result
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
    }
}

/// The errors that a gateway met.
final class GatewayLog: Sendable {
    private let codes = Mutex<[GatewayError.Code]>([])

    var errors: [GatewayError.Code] { codes.withLock { $0 } }

    func answer(_ request: Request, _ context: GatewayContext, _ proxy: ReverseProxy) async -> Response {
        do throws(GatewayError) {
            return try await proxy.forward(request, from: context.client)
        } catch {
            codes.withLock { $0.append(error.code) }
            return Response(status: error.status, body: ResponseBody(byteBuffer: ByteBuffer(string: "\(error.code)")))
        }
    }
}

struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let client: ClientConnection

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        client = ClientConnection(source.channel)
    }
}

extension Upstream {
    /// A server of this machine.
    static func local(_ port: Int, path: String = "") throws -> Upstream { try Upstream("http://127.0.0.1:\(port)\(path)") }
}
