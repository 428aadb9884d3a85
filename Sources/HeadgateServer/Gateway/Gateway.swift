import HTTPTypes
import HeadgateProvider
import Hummingbird

/// What forwards allowed requests to the API behind.
struct Gateway: Sendable {
    /// Forwards a request that may go on.
    let forward: @Sendable (Request, ServerContext) async throws -> Response
    /// Why the upstream cannot be reached; nil when it can.
    let failure: @Sendable () async -> String?
}

/// Forwards every request that has a known key and room in its limits; answers the others itself.
struct GatewayMiddleware: RouterMiddleware {
    let gateway: Gateway
    let limits: ProviderMiddleware<ServerContext>

    init(gateway: Gateway, provider: Provider) {
        self.gateway = gateway
        limits = ProviderMiddleware(provider)
    }

    /// What the gateway answers itself, in place of the upstream.
    private static let ownPaths: Set<String> = ["/livez", "/readyz", "/openapi.json"]

    func handle(
        _ request: Request,
        context: ServerContext,
        next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        if GatewayMiddleware.ownPaths.contains(request.uri.path) { return try await next(request, context) }
        return try await limits.handle(request, context: context) { request, context in try await gateway.forward(request, context) }
    }
}
