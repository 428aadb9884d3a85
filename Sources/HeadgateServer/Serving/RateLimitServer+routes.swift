import Headgate
import HeadgateProvider
import Hummingbird

extension RateLimitServer {
    /// What the public listener serves.
    ///
    /// A gateway serves its upstream, its own page and its health alone: what a service asks on others' behalf is not for the
    /// public, and its paths may be the upstream's.
    var router: Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        let trust = CallerTrust(trustsListener: configuration.trustsCallers, serviceToken: configuration.serviceToken)
        let subjects = SubjectFinder(provider: provider, clients: configuration.clients)
        HealthRoutes(readiness: readiness).add(to: router)
        OpenAPIRoute(.publicListener(with: parts)).add(to: router)
        if let provider { router.add(middleware: CustomerEndpoints(provider)) }
        if let provider, let gateway {
            router.add(middleware: GatewayMiddleware(gateway: gateway, provider: provider))
        } else {
            router.add(middleware: AuthorizeMiddleware(limiter: limiter, style: style, trust: trust, subjects: subjects))
            router.add(middleware: CallerTrustMiddleware(trust: trust))
            DecisionRoutes(limiter: limiter, subjects: subjects).add(to: router)
            LeaseRoutes(limiter: limiter).add(to: router)
        }
        router.add(middleware: UnroutedMiddleware(router.routes))
        return router
    }

    private var parts: Set<OpenAPIDocument.Part> {
        var parts: Set<OpenAPIDocument.Part> = [.operations]
        if provider != nil { parts.insert(.customers) }
        if provider == nil || gateway == nil { parts.insert(.services) }
        return parts
    }

    /// What the admin listener serves; nil without accounts.
    var adminRouter: Router<ServerContext>? {
        guard let provider else { return nil }
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: AdminAccessMiddleware(
                access: AdminAccess(token: configuration.adminToken, readToken: configuration.adminReadToken),
                clients: configuration.clients,
                style: AdminRoutes.style,
                logger: logger
            )
        )
        HealthRoutes(readiness: readiness).add(to: router)
        OpenAPIRoute(.admin).add(to: router)
        AdminRoutes(provider: provider, policyText: policySource, usage: provider.reports).add(to: router)
        router.add(middleware: UnroutedMiddleware(router.routes))
        return router
    }
}
