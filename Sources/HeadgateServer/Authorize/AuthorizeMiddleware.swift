import HTTPTypes
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgateProvider
import Hummingbird

/// `ANY /v1/authorize`: answers a proxy's question (nginx `auth_request`, Traefik `ForwardAuth`, Caddy `forward_auth`).
///
/// Who asks is what a believed proxy says in `X-Headgate-Account`, or else whose API key the request brings. It answers whatever
/// the method is, so it stands before the router. Concurrency limits are only looked at: there is no end of the request to
/// release at.
struct AuthorizeMiddleware<Context: RemoteAddressRequestContext>: RouterMiddleware {
    let limiter: Limiter
    let style: ResponseStyle
    let trust: CallerTrust
    let subjects: SubjectFinder

    static var path: String { "/v1/authorize" }

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path == Self.path else { return try await next(request, context) }
        let answer = try await authorize(request, context)
        let response = Self.disguise(answer, by: request.uri.queryParameters.getAll("deny").map { String($0) })
        return response.answering(request)
    }

    private func authorize(_ request: Request, _ context: Context) async throws -> Response {
        do {
            // First, so that whoever is not believed learns that and nothing else. Without accounts there are no keys to ask with.
            if request.headers[.headgateAccount] != nil || subjects.provider == nil { try trust.check(request.headers) }
            let forwarded = try ForwardedRequest(request.headers)
            let subject = try await subject(of: forwarded, request, context)
            let asked = try subjects.limitRequest(subject, request.headers, forwarded.endpoint, isBelieved: trust.believes(request.headers))
            let decision = try await limiter.acquire(all: [asked], slots: .observe)
            subjects.note(decision, for: subject.identity)
            if let refusal = style.refusal(for: decision) { return Response(refusal) }
            return Response(status: .ok, headers: decision.headerFields(style))
        } catch let error as LimiterError {
            return Response(style.refusal(for: error))
        } catch let error as RefusedRequest {
            return Response(error.refusal)
        } catch let error as Problem {
            return error.response(from: request, context: context)
        }
    }

    private func subject(of forwarded: ForwardedRequest, _ request: Request, _ context: Context) async throws -> Subject {
        if let claimed = forwarded.subject {
            return try await subjects.completed(claimed, address: subjects.address(request.headers, peer: context.remoteAddress))
        }
        guard let provider = subjects.provider else {
            throw LimiterError(.badRequest, "X-Headgate-Account is missing; expected the account that the request is made for")
        }
        return try await provider.caller(request, context: context).subject
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
