import HTTPTypes
import Hummingbird

/// Refuses what acts on somebody's behalf where anybody could reach it.
struct CallerTrustMiddleware<Context: RequestContext>: RouterMiddleware {
    let trustsCallers: Bool

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        // By segments, as the router goes: it passes over empty ones, so `//v1/decisions` is the same route.
        guard trustsCallers || request.uri.path.split(separator: "/").first != "v1" else {
            throw Problem(
                .forbidden,
                "untrusted_caller",
                "this listener is open to others than this machine, and the request says on whose behalf it is made; "
                    + "start headgate serve with --trust-identity-headers behind a proxy that removes what clients claim"
            )
        }
        return try await next(request, context)
    }
}
