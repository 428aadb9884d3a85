import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgatePolicy
import HeadgateYAML
public import Logging
import ServiceLifecycle
import UnixSignals

extension RateLimitServer {
    /// Serves a policy until SIGTERM or SIGINT: what `headgate serve` does.
    ///
    /// A Redis that is away keeps nothing from starting; `/readyz` says so.
    ///
    /// - Parameters:
    ///   - configuration: How to serve.
    ///   - logger: Told of what the server does.
    ///   - onListening: Called with the address, and with where counts live, once requests are taken.
    /// - Throws: ``InvalidPolicyFile`` with all that is wrong with the policy, or ``ConfigurationError``.
    public static func serve(
        _ configuration: ServerConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable (_ address: ListenAddress, _ counts: String) async -> Void
    ) async throws {
        let policy = try PolicyFile.load(configuration.policy)
        let backend = try await Backend.open(configuration.store, deadline: configuration.deadline, logger: logger)
        let server = RateLimitServer(
            limiter: Limiter(store: backend.store, rules: policy),
            style: ResponseStyle(policy.responses),
            configuration: configuration,
            logger: logger,
            onListening: { await onListening($0, backend.place) },
            probe: { () throws(LimiterError) in try await backend.probe() }
        )
        let group = ServiceGroupConfiguration(
            services: backend.services + [server],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await ServiceGroup(configuration: group).run()
    }
}
