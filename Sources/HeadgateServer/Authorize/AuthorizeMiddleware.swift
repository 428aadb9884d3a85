import HTTPTypes
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import Hummingbird

/// `ANY /v1/authorize`: answers a proxy's question (nginx `auth_request`, Traefik `ForwardAuth`, Caddy `forward_auth`).
///
/// It answers whatever the method is, so it stands before the router. Concurrency limits are only looked at: there is no end of
/// the request to release at.
struct AuthorizeMiddleware<Context: RequestContext>: RouterMiddleware {
    let limiter: Limiter
    let style: ResponseStyle

    static var path: String { "/v1/authorize" }

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path == Self.path else { return try await next(request, context) }
        let response = Self.disguise(await authorize(request), by: request.uri.queryParameters.getAll("deny").map { String($0) })
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func authorize(_ request: Request) async -> Response {
        do throws(LimiterError) {
            let forwarded = try ForwardedRequest(request.headers)
            let decision = try await limiter.acquire(all: [forwarded.request], slots: .observe)
            if let refusal = style.refusal(for: decision) { return Response(refusal) }
            return Response(status: .ok, headers: decision.headerFields(style))
        } catch {
            return Response(style.refusal(for: error))
        }
    }

    /// `?deny=403`: nginx takes any refusal but 401 and 403 for an error, so the true status goes into a field.
    private static func disguise(_ response: Response, by deny: [String]) -> Response {
        guard deny.contains("403"), response.status != .ok else { return response }
        var response = response
        response.headers[.headgateStatus] = String(response.status.code)
        response.status = .forbidden
        return response
    }
}
