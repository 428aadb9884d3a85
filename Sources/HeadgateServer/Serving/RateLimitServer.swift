import Foundation
public import Headgate
import HeadgateGateway
public import HeadgateHTTP
public import HeadgateProvider
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// The HTTP server: the decision API, forward authorisation, leases, health, a provider's page, and the gateway.
public struct RateLimitServer: Service {
    let limiter: Limiter
    let style: ResponseStyle
    let configuration: ServerConfiguration
    let provider: Provider?
    let policySource: String
    let gateway: Gateway?
    let readiness: Readiness
    let logger: Logger
    private let onListening: @Sendable (ListenAddress) async -> Void
    private let onAdminListening: @Sendable (ListenAddress) async -> Void

    /// Creates a server; nothing listens until ``run()`` runs.
    ///
    /// - Parameters:
    ///   - limiter: What judges; its store has to be running.
    ///   - style: How refusals look.
    ///   - configuration: Where to listen, and whom to believe.
    ///   - logger: Told of what the server does.
    ///   - provider: Whose keys and accounts there are; without one, callers say themselves on whose behalf they ask.
    ///   - onListening: Called with the address once requests are taken.
    ///   - probe: Asks the store whether decisions can be made.
    public init(
        limiter: Limiter,
        style: ResponseStyle,
        configuration: ServerConfiguration,
        logger: Logger,
        provider: Provider? = nil,
        onListening: @escaping @Sendable (ListenAddress) async -> Void = { _ in },
        probe: @escaping @Sendable () async throws(LimiterError) -> Void
    ) {
        self.init(
            limiter: limiter,
            style: style,
            configuration: configuration,
            logger: logger,
            provider: provider,
            policySource: "",
            gateway: nil,
            onListening: onListening,
            onAdminListening: { _ in },
            probe: probe
        )
    }

    init(
        limiter: Limiter,
        style: ResponseStyle,
        configuration: ServerConfiguration,
        logger: Logger,
        provider: Provider?,
        policySource: String,
        gateway: Gateway?,
        onListening: @escaping @Sendable (ListenAddress) async -> Void,
        onAdminListening: @escaping @Sendable (ListenAddress) async -> Void,
        probe: @escaping @Sendable () async throws(LimiterError) -> Void
    ) {
        self.limiter = limiter
        self.style = style
        self.configuration = configuration
        self.provider = provider
        self.policySource = policySource
        self.gateway = gateway
        self.logger = logger
        self.onListening = onListening
        self.onAdminListening = onAdminListening
        readiness = Readiness(probe: probe, upstream: gateway?.failure)
    }

    /// Serves until graceful shutdown: readiness goes off at once, requests under way are answered, then this returns.
    ///
    /// - Throws: ``ConfigurationError`` when an address cannot be listened on.
    public func run() async throws {
        let drain = DrainService(readiness: readiness, delay: configuration.drainDelay)
        var services: [any Service] = [publicListener]
        if let adminRouter, let address = configuration.adminListen {
            services.append(Listener(application(adminRouter, at: address, onAdminListening), at: address))
        }
        // Shut down in reverse: the readiness first, the listeners when load balancers have seen it.
        var group = ServiceGroupConfiguration(services: services + [drain], logger: logger)
        group.maximumGracefulShutdownDuration = configuration.shutdownTimeout
        try await ServiceGroup(configuration: group).run()
    }

    private var publicListener: any Service { Listener(application, at: configuration.listen) }

    /// The public routes with their settings, as they are served.
    var application: some ApplicationProtocol { application(router, at: configuration.listen, onListening) }

    private func application(
        _ router: Router<ServerContext>,
        at listen: ListenAddress,
        _ onListening: @escaping @Sendable (ListenAddress) async -> Void
    ) -> some ApplicationProtocol {
        Application(
            router: router,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: ClientPatience().handlers(),
                    httpDecoderConfiguration: RateLimitServer.headerBounds
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(listen.host, port: listen.port),
                serverName: nil,
                availableConnectionsDelegate: .maximum(RateLimitServer.mostConnections(configuration), logger: logger)
            ),
            onServerRunning: { channel in
                await onListening(ListenAddress(host: listen.host, port: channel.localAddress?.port ?? listen.port))
            },
            logger: logger
        )
    }

    /// Larger heads are answered 400 and their connection is closed.
    private static var headerBounds: HTTP1Channel.Configuration.DecoderConfiguration {
        .init(maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 100)
    }

    /// The most connections of clients; a gateway has one to the upstream for each.
    private static func mostConnections(_ configuration: ServerConfiguration) -> Int {
        DescriptorLimit.connections(atMost: 10_000, each: configuration.upstream == nil ? 1 : 2)
    }
}

/// A listener whose failure to listen says on what.
private struct Listener<Listening: ApplicationProtocol>: Service {
    let application: Listening
    let address: ListenAddress

    init(_ application: Listening, at address: ListenAddress) {
        self.application = application
        self.address = address
    }

    func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw ConfigurationError("cannot listen on \(address): \(error.words)")
        }
    }
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
