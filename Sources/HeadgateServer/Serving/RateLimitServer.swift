import Foundation
public import Headgate
public import HeadgateHTTP
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// The HTTP server: the decision API, forward authorisation, leases and health.
public struct RateLimitServer: Service {
    private let limiter: Limiter
    private let style: ResponseStyle
    private let configuration: ServerConfiguration
    private let readiness: Readiness
    private let logger: Logger
    private let onListening: @Sendable (ListenAddress) async -> Void

    /// Creates a server; nothing listens until ``run()`` runs.
    ///
    /// - Parameters:
    ///   - limiter: What judges; its store has to be running.
    ///   - style: How refusals look.
    ///   - configuration: Where to listen, and whom to believe.
    ///   - logger: Told of what the server does.
    ///   - onListening: Called with the address once requests are taken.
    ///   - probe: Asks the store whether decisions can be made.
    public init(
        limiter: Limiter,
        style: ResponseStyle,
        configuration: ServerConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable (ListenAddress) async -> Void = { _ in },
        probe: @escaping @Sendable () async throws(LimiterError) -> Void
    ) {
        self.limiter = limiter
        self.style = style
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        readiness = Readiness(probe: probe)
    }

    /// Serves until graceful shutdown: readiness goes off at once, requests under way are answered, then this returns.
    ///
    /// - Throws: ``ConfigurationError`` when the address cannot be listened on.
    public func run() async throws {
        let application = application
        let drain = DrainService(readiness: readiness, delay: configuration.drainDelay)
        // Shut down in reverse: the readiness first, the listener when load balancers have seen it.
        var group = ServiceGroupConfiguration(services: [application, drain], logger: logger)
        group.maximumGracefulShutdownDuration = configuration.shutdownTimeout
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw ConfigurationError("cannot listen on \(configuration.listen): \(error.words)")
        }
    }

    /// The routes with their settings, as they are served.
    var application: some ApplicationProtocol {
        let listen = configuration.listen
        let onListening = onListening
        return Application(
            router: router,
            server: .http1(
                configuration: HTTP1Channel.Configuration(idleTimeout: .seconds(75), httpDecoderConfiguration: RateLimitServer.headerBounds)
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(listen.host, port: listen.port),
                serverName: nil,
                availableConnectionsDelegate: .maximum(RateLimitServer.mostConnections, logger: logger)
            ),
            onServerRunning: { channel in
                await onListening(ListenAddress(host: listen.host, port: channel.localAddress?.port ?? listen.port))
            },
            logger: logger
        )
    }

    private var router: Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: CallerTrustMiddleware(trustsCallers: configuration.trustsCallers))
        router.add(middleware: AuthorizeMiddleware(limiter: limiter, style: style))
        HealthRoutes(readiness: readiness).add(to: router)
        DecisionRoutes(limiter: limiter).add(to: router)
        LeaseRoutes(limiter: limiter).add(to: router)
        return router
    }

    /// Larger heads are answered 400 and their connection is closed.
    private static var headerBounds: HTTP1Channel.Configuration.DecoderConfiguration {
        .init(maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 100)
    }

    private static let mostConnections = 10_000
}

extension IOError {
    /// What keeps a socket from listening, without the names of functions.
    fileprivate var words: String {
        switch errnoCode {
        case EADDRINUSE: "the port is in use"
        case EADDRNOTAVAIL: "it is no address of this machine"
        case EACCES, EPERM: "it is not permitted"
        default: "errno \(errnoCode)"
        }
    }
}
