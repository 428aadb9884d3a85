import HeadgatePolicy
import HeadgateProvider
import Logging
import ServiceLifecycle

/// The gateway's upstream and what has to run for it.
struct GatewayBackend {
    let gateway: Gateway
    let services: [any Service]

    /// - Throws: ``ConfigurationError`` when the upstream's address is none.
    init(_ upstream: UpstreamConfiguration, _ clients: ClientLocator, _ policy: Policy, _ logger: Logger) throws(ConfigurationError) {
        throw ConfigurationError("not yet")
    }
}
