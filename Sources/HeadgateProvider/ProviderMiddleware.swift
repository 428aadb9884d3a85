package import HTTPTypes
package import Headgate
import HeadgateHTTP
import HeadgateHummingbird
package import HeadgatePolicy
public import Hummingbird

/// Lets in who has a key and room in its limits: finds the caller, judges the request by the policy, and tells the client.
///
/// Behind it, handlers find the caller with ``Provider/caller(_:context:)``. Requests without a known key are answered 401.
/// Response statuses that the policy names in `refund_on` give the request's units back.
public struct ProviderMiddleware<Context: RemoteAddressRequestContext>: RouterMiddleware {
    private let limits: RateLimitMiddleware<Context>

    /// Creates a middleware.
    public init(_ provider: Provider) {
        let policy = provider.policy
        limits = RateLimitMiddleware(
            limiter: provider.limiter,
            style: provider.style,
            refundsOn: { status, asked in
                guard policy.hasRefunds, let patterns = try? policy.refunds(of: asked.endpoint) else { return false }
                return patterns.contains { $0.matches(status.code) }
            },
            onDecision: { decision, asked in provider.note(decision, for: asked.subject.identity) },
            request: { request, context in
                let caller = try await provider.callers.caller(request.headers, peer: context.remoteAddress)
                return try provider.limitRequest(
                    caller.subject,
                    request.headers,
                    Endpoint(method: request.method.rawValue, path: request.uri.path),
                    trust: provider.callers.clients.believes(context.remoteAddress) ? .service : .client
                )
            }
        )
    }

    /// Judges a request, and lets it go on when it is allowed.
    ///
    /// - Returns: The handler's response, or the refusal.
    /// - Throws: What the handler throws, with the decision's header fields.
    public func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        try await limits.handle(request, context: context, next: next)
    }
}

extension Provider {
    /// Who made a request.
    ///
    /// - Throws: ``RefusedRequest`` with 401 for no key or an unknown one, and as its status says otherwise.
    public func caller(_ request: Request, context: some RemoteAddressRequestContext) async throws -> Caller {
        try await callers.caller(request.headers, peer: context.remoteAddress)
    }

    /// What the limiter is asked for a subject's request with these fields: its priority and its cost are in them.
    package func limitRequest(
        _ subject: Subject,
        _ fields: HTTPFields,
        _ endpoint: Endpoint,
        trust: CostRule.Trust
    ) throws(LimiterError) -> LimitRequest {
        var request = LimitRequest(subject: subject, endpoint: endpoint)
        if let priority = fields[.xPriority] { request.priority = Priority(priority) }
        if case .header(let header) = try policy.cost(of: endpoint), let name = HTTPField.Name(header.name) {
            request.cost = .units(try CostRule.header(header).units(of: fields[values: name], trust: trust))
        }
        return request
    }
}

extension HTTPField.Name {
    // The literal is a token (RFC 9110 5.6.2), so the initialiser does not return nil.
    // swift-format-ignore: NeverForceUnwrap
    static let xPriority = Self("X-Priority")!
}
