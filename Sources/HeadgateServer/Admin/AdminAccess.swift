import HTTPTypes
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgateProvider
import Hummingbird
import Logging

/// Who may use the admin listener: readers look, writers change.
struct AdminAccess: Sendable {
    /// What a caller may do.
    enum Role: String, Sendable { case read, write }

    /// What callers know who may look and change.
    let token: Secret?
    /// What callers know who may only look.
    let readToken: Secret?

    /// The role that a request's fields prove; `nil` for none.
    ///
    /// Without any token the listener is a loopback one, and who reaches it may do all.
    func role(_ fields: HTTPFields) -> Role? {
        guard token != nil || readToken != nil else { return .write }
        guard let presented = fields.bearerToken else { return nil }
        if token?.matches(presented) == true { return .write }
        return readToken?.matches(presented) == true ? .read : nil
    }

    /// Whether a token is asked for.
    var isOpen: Bool { token == nil && readToken == nil }
}

/// Lets in who may do what a request asks for, and no page that a browser on this machine happens to show.
struct AdminAccessMiddleware<Context: RemoteAddressRequestContext>: RouterMiddleware {
    let access: AdminAccess
    let clients: ClientLocator
    let style: ResponseStyle
    let logger: Logger
    /// Slows down whoever tries tokens, and whoever asks without end.
    let bounds = AdminBounds()

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !AdminAccessMiddleware.isPublic(request.uri.path) else { return try await next(request, context) }
        try refuseForeignPages(request)
        let address = try clients.address(request.headers, peer: context.remoteAddress).identity(prefix: clients.prefix)
        // Before the token is looked at: an answer would tell whether it is the right one.
        if let wait = await bounds.lockOut(of: address) { throw tooMany(wait) }
        guard let role = access.role(request.headers) else {
            // Who sends none guesses none.
            if request.headers[.authorization] != nil, let wait = await bounds.wrongToken(from: address) { throw tooMany(wait) }
            logger.warning("Admin request without a valid token", metadata: ["http.method": "\(request.method.rawValue)"])
            var fields = HTTPFields()
            fields[.wwwAuthenticate] = #"Bearer realm="headgate admin""#
            throw RefusedRequest(
                style.refusal(.unauthorized, code: "unauthorized", message: "a bearer token is required", headerFields: fields)
            )
        }
        let changes = request.method != .get && request.method != .head
        guard role == .write || !changes else {
            logger.warning("Admin change with a reader's token", metadata: ["http.method": "\(request.method.rawValue)"])
            throw RefusedRequest(style.refusal(.forbidden, code: "read_only", message: "this token may look and not change"))
        }
        if let wait = await bounds.call() { throw tooMany(wait) }
        let response = try await next(request, context)
        if changes {
            logger.info("Admin change", metadata: ["http.method": "\(request.method.rawValue)", "http.status": "\(response.status.code)"])
        }
        return response
    }

    private static func isPublic(_ path: String) -> Bool { ["/livez", "/readyz", "/openapi.json"].contains(path) }

    /// A page of another site can make a browser send requests here, and a name that it controls can point here.
    private func refuseForeignPages(_ request: Request) throws {
        let authority = request.head.authority ?? ""
        let isForeign = request.headers[.origin].map { $0 != "http://\(authority)" } ?? false
        let isNamed = access.isOpen && !authority.isEmpty && !ListenAddress(authority: authority).isLoopback
        guard isForeign || isNamed else { return }
        throw RefusedRequest(
            style.refusal(
                .forbidden,
                code: "foreign_origin",
                message: "requests of other sites' pages are refused; set a token to use another name"
            )
        )
    }

    private func tooMany(_ wait: Duration) -> RefusedRequest {
        var fields = HTTPFields()
        fields[.retryAfter] = String(max(1, wait.secondsRoundedUp))
        return RefusedRequest(
            style.refusal(.tooManyRequests, code: "too_many_requests", message: "too many requests", headerFields: fields)
        )
    }
}

/// The admin listener's own limits, counted in this process: Redis may be what an operator came to look after.
struct AdminBounds: Sendable {
    private let limiter = Limiter(store: MemoryStore())

    /// The time for which an address is locked out, when ten requests with a wrong token came from it within a minute.
    func lockOut(of address: Identity) async -> Duration? {
        guard let limit = try? AdminBounds.wrongTokens else { return nil }
        return (try? await limiter.peek(for: address, limits: [limit]))?.retryAfter
    }

    /// Notes a request with a wrong token; the time to wait when there were ten in a minute.
    func wrongToken(from address: Identity) async -> Duration? {
        guard let limit = try? AdminBounds.wrongTokens else { return nil }
        return (try? await limiter.acquire(for: address, limits: [limit]))?.retryAfter
    }

    /// Notes a call; the time to wait when there are more than 200 a second.
    func call() async -> Duration? {
        guard let limit = try? Limit("calls", .tokenBucket(200, per: .seconds(1))), let everybody = try? Identity(.global, "admin") else {
            return nil
        }
        return (try? await limiter.acquire(for: everybody, limits: [limit]))?.retryAfter
    }

    private static var wrongTokens: Limit {
        get throws(LimiterError) { try Limit("wrong-tokens", .slidingWindowLog(10, per: .seconds(60))) }
    }
}

extension HTTPFields {
    /// The token of `Authorization: Bearer`.
    var bearerToken: String? {
        guard let value = self[.authorization], self[values: .authorization].count == 1 else { return nil }
        let words = value.split(separator: " ", maxSplits: 1)
        return words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
    }
}
