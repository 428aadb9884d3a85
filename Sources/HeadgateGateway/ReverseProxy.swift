import AsyncHTTPClient
public import HeadgateHTTP
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
public import ServiceLifecycle

/// Passes requests on to an upstream, and its answers back, part by part as they come.
///
/// Neither body is ever held as a whole: who reads slowly slows the other side down. An answer that breaks off breaks the client's
/// connection, so that nobody takes it for complete, and a client that is gone breaks off its request at the upstream.
///
/// A request is sent twice only when its connection, which had served others before, was closed under it, and it is `GET`, `HEAD` or
/// `OPTIONS` without a body; or when nothing of it was sent. Redirects are passed on as they are, and so are compressed bodies.
public final class ReverseProxy: Service {
    /// Where requests go.
    public let upstream: Upstream

    let trust: ProxyTrust
    let logger: Logger
    let exchanges = Exchanges()
    let client: HTTPClient

    /// Creates a proxy; connections are made when there are requests.
    ///
    /// - Parameters:
    ///   - upstream: Where requests go.
    ///   - trust: The proxies before this one whose word on the client is passed on.
    ///   - logger: Told of failures.
    public init(to upstream: Upstream, trust: ProxyTrust = .nobody, logger: Logger) {
        self.upstream = upstream
        self.trust = trust
        self.logger = logger
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: TimeAmount(upstream.connectTimeout)),
            connectionPool: HTTPClient.Configuration.ConnectionPool(
                idleTimeout: TimeAmount(upstream.keepAlive),
                concurrentHTTP1ConnectionsPerHostSoftLimit: upstream.maximumConnections
            )
        )
        configuration.httpVersion = .http1Only
        // Who is refused says so at once, instead of being tried until the timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        // The client's own trace is passed on as it is.
        configuration.tracing.tracer = nil
        configuration.http1_1ConnectionDebugInitializer = { [exchanges] channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
                try pipeline.addHandler(UpstreamHandler(upstream, exchanges: exchanges), position: .after(parser))
            }
        }
        client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }

    deinit { client.shutdown { _ in } }

    /// Waits for the graceful shutdown, and closes the connections; the server has to be shut down before.
    public func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}
