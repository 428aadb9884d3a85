import HTTPTypes
import Headgate
import HeadgateHTTP
import Hummingbird

/// Whom the server believes when they say on whose behalf a request is made.
struct CallerTrust: Sendable {
    /// Whether everybody who reaches the listener is believed.
    let trustsListener: Bool

    /// What a service proves itself with elsewhere.
    let serviceToken: Secret?

    /// Whether a request's sender is believed.
    func believes(_ fields: HTTPFields) -> Bool {
        trustsListener || fields.bearerToken.map { serviceToken?.matches($0) == true } ?? false
    }

    /// Refuses a sender that is not believed.
    ///
    /// - Throws: ``Problem`` with 403.
    func check(_ fields: HTTPFields) throws {
        guard !believes(fields) else { return }
        throw Problem(
            .forbidden,
            "untrusted_caller",
            "this listener is open to others than this machine, and the request says on whose behalf it is made; "
                + "send the service token, or start headgate serve with --trust-identity-headers behind a proxy that removes what clients claim"
        )
    }
}

/// Lets only believed services judge and lease on somebody's behalf.
struct CallerTrustMiddleware<Context: RequestContext>: RouterMiddleware {
    let trust: CallerTrust

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        // By segments, as the router goes: it passes over empty ones, so `//v1/decisions` is the same route.
        if request.uri.path.split(separator: "/").first == "v1" { try trust.check(request.headers) }
        return try await next(request, context)
    }
}
