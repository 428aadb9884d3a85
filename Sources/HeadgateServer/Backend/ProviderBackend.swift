import Headgate
import HeadgateAccounts
import HeadgateEvents
import HeadgatePolicy
import HeadgateProvider
import HeadgateRedis
import HeadgateUsage
import Logging
import ServiceLifecycle

/// A provider's page and what has to run for it, after the store of counts.
struct ProviderBackend {
    let provider: Provider
    let services: [any Service]

    /// Opens the page's stores; nil when counts live in memory, where there are no accounts.
    ///
    /// - Throws: ``ConfigurationError`` when a setting cannot work.
    static func open(
        _ configuration: ServerConfiguration,
        _ backend: Backend,
        policy: Policy,
        source: String,
        _ limiter: Limiter,
        _ logger: Logger
    ) async throws(ConfigurationError) -> ProviderBackend? {
        guard let counts = backend.redis else { return nil }
        var services: [any Service] = []
        var records = counts
        if let choice = configuration.accountsStore {
            let accounts = try await Backend.open(choice, deadline: configuration.deadline, logger: logger)
            records = accounts.redis ?? counts
            services += accounts.services
        }
        let store = AccountStore(records, policy: policy)
        do throws(LimiterError) {
            let provider = try Provider(
                policy: policy,
                limiter: limiter,
                directory: AccountDirectory(store),
                usage: UsageRecorder(counts, logger: logger),
                reports: UsageReader(counts),
                watch: try LimitWatch(counts, thresholds: policy.definition.events.thresholds, logger: logger),
                clients: configuration.clients
            )
            services += provider.services
            if let webhook = configuration.webhook { services.append(WebhookDelivery(counts, webhook, logger: logger)) }
            services.append(PolicyPublication(store: store, text: source))
            return ProviderBackend(provider: provider, services: services)
        } catch {
            throw ConfigurationError(error.message)
        }
    }
}
