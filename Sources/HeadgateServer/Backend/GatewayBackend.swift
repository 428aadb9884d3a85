import HTTPTypes
import Headgate
import HeadgateGateway
import HeadgateHTTP
import HeadgateProvider
import Hummingbird
import Logging
import ServiceLifecycle

/// The gateway's upstream and what has to run for it.
struct GatewayBackend {
    let gateway: Gateway
    let services: [any Service]

    /// - Throws: ``ConfigurationError`` when the upstream's address is none.
    init(
        _ configuration: UpstreamConfiguration,
        _ clients: ClientLocator,
        _ style: ResponseStyle,
        _ logger: Logger
    ) throws(ConfigurationError) {
        var upstream: Upstream
        do { upstream = try Upstream(configuration.url) } catch { throw ConfigurationError("upstream: \(error.message)") }
        upstream.responseTimeout = configuration.responseTimeout
        if let path = configuration.healthPath { upstream.probe = .get(path: path) }
        let proxy = ReverseProxy(to: upstream, trust: clients.trust, logger: logger)
        services = [proxy]
        gateway = Gateway(
            forward: { request, context in
                do throws(GatewayError) {
                    return try await proxy.forward(request, from: context.client)
                } catch {
                    throw RefusedRequest(style.refusal(error.status, code: "\(error.code)", message: error.message))
                }
            },
            failure: {
                do throws(GatewayError) {
                    try await proxy.probe()
                    return nil
                } catch {
                    return "\(error.code)"
                }
            }
        )
    }
}
