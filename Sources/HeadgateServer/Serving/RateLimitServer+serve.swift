import Foundation
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgateMetrics
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
    ///   - onAdminListening: Called with the admin listener's address, when there is one.
    /// - Throws: ``InvalidPolicyFile`` with all that is wrong with the policy, or ``ConfigurationError``.
    public static func serve(
        _ configuration: ServerConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable (_ address: ListenAddress, _ counts: String) async -> Void,
        onAdminListening: @escaping @Sendable (_ address: ListenAddress) async -> Void = { _ in }
    ) async throws {
        let policy = try PolicyFile.load(configuration.policy)
        let source = (try? String(contentsOfFile: configuration.policy, encoding: .utf8)) ?? ""
        let backend = try await Backend.open(configuration.store, deadline: configuration.deadline, logger: logger)
        let limiter = Limiter(store: backend.store, rules: policy, observers: [DecisionMetrics()])
        let page = try await ProviderBackend.open(configuration, backend, policy: policy, source: source, limiter, logger)
        let gateway = try configuration.upstream.map { upstream in
            try GatewayBackend(upstream, configuration.clients, ResponseStyle(policy.responses), logger)
        }
        let server = RateLimitServer(
            limiter: limiter,
            style: ResponseStyle(policy.responses),
            configuration: configuration,
            logger: logger,
            provider: page?.provider,
            policySource: source,
            gateway: gateway?.gateway,
            onListening: { await onListening($0, backend.place) },
            onAdminListening: onAdminListening,
            probe: { () throws(LimiterError) in try await backend.probe() }
        )
        let group = ServiceGroupConfiguration(
            services: backend.services + (page?.services ?? []) + (gateway?.services ?? []) + [server],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await ServiceGroup(configuration: group).run()
    }
}
