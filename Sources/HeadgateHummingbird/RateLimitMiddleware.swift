public import Headgate
public import HeadgateHTTP
import HTTPTypes
public import Hummingbird

/// Judges every request before its handler runs, and tells the client of the decision on every answer.
///
/// ```swift
/// let router = Router()
/// router.add(middleware: RateLimitMiddleware(limiter: limiter) { request, _ in
///     try .account(request.headers[.apiAccount] ?? "anonymous", tier: "pro")
/// })
/// ```
///
/// - A request that a limit denies is answered 429, one that could not be counted and must be is answered 503, one that is wrong
///   in itself 400, each with the style's body; its handler does not run.
/// - The style's header fields stand on every other answer, on 404s and on errors that handlers throw as well.
/// - Concurrency slots are held until the last byte of the response is sent, or the connection dies; a handler or a body that
///   takes long has them renewed meanwhile.
public struct RateLimitMiddleware<Context: RequestContext>: RouterMiddleware {
    private let limiter: Limiter
    private let style: ResponseStyle
    private let describe: @Sendable (Request, Context) async throws -> LimitRequest
    private let refundsOn: @Sendable (HTTPResponse.Status, LimitRequest) -> Bool
    private let onDecision: @Sendable (Decision, LimitRequest) -> Void

    /// Creates a middleware that charges one unit for each request, on the endpoint of its method and path.
    ///
    /// The request's priority is what its `X-Priority` says.
    ///
    /// - Parameters:
    ///   - limiter: What judges; its rules map requests to limits.
    ///   - style: How answers tell of the decision; `ResponseStyle(policy.responses)` is what a policy asks for.
    ///   - subject: Who asks. What it throws is thrown on: an `HTTPError(.unauthorized)` for a request without a key, say.
    public init(
        limiter: Limiter,
        style: ResponseStyle = ResponseStyle(),
        subject: @escaping @Sendable (Request, Context) async throws -> Subject
    ) {
        self.init(limiter: limiter, style: style) { request, context in
            LimitRequest(
                subject: try await subject(request, context),
                endpoint: Endpoint(method: request.method.rawValue, path: request.uri.path),
                priority: request.headers[.xPriority].map { Priority($0) } ?? .normal
            )
        }
    }

    /// Creates a middleware with a say in the endpoint, the cost and the priority of each request.
    ///
    /// - Parameters:
    ///   - limiter: What judges; its rules map requests to limits.
    ///   - style: How answers tell of the decision.
    ///   - refundsOn: Whether a response of this status gives the request's units back: 304, say, since a conditional request
    ///     should not use up quota. They are given back as far as the limits allow it.
    ///   - onDecision: Told of every decision, allowed or not; it must return at once.
    ///   - request: What the limiter is asked. What it throws is thrown on.
    public init(
        limiter: Limiter,
        style: ResponseStyle = ResponseStyle(),
        refundsOn: @escaping @Sendable (HTTPResponse.Status, LimitRequest) -> Bool = { _, _ in false },
        onDecision: @escaping @Sendable (Decision, LimitRequest) -> Void = { _, _ in },
        request: @escaping @Sendable (Request, Context) async throws -> LimitRequest
    ) {
        self.refundsOn = refundsOn
        self.onDecision = onDecision
        self.limiter = limiter
        self.style = style
        describe = request
    }

    /// Judges a request, and lets it go on when it is allowed.
    ///
    /// - Returns: The handler's response, or the refusal.
    /// - Throws: What the handler throws, with the decision's header fields added to the response that it stands for.
    public func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let decision: Decision
        let asked: LimitRequest
        do {
            asked = try await describe(request, context)
            decision = try await limiter.acquire(all: [asked], slots: .hold)
        } catch let error as LimiterError {
            return Response(style.refusal(for: error), to: request)
        }
        onDecision(decision, asked)
        if let refusal = style.refusal(for: decision) { return Response(refusal, to: request) }
        let fields = decision.headerFields(style)
        do {
            var response = try await holding(decision.lease) { try await next(request, context) }
            response.headers.set(fields)
            await refund(decision, of: asked, on: response.status)
            return response
        } catch {
            let decided = DecidedError(error: error, fields: fields)
            await refund(decision, of: asked, on: decided.status)
            throw decided
        }
    }

    /// Gives units back where the status says so; a refund that fails leaves the request charged.
    private func refund(_ decision: Decision, of asked: LimitRequest, on status: HTTPResponse.Status) async {
        guard refundsOn(status, asked) else { return }
        _ = try? await limiter.refund(decision)
    }

    /// Runs a handler while its slots are held; the response's body holds them on.
    private func holding(_ lease: Lease?, _ handler: () async throws -> Response) async throws -> Response {
        guard let lease else { return try await handler() }
        let held = HeldLease(lease, of: limiter)
        do {
            var response = try await held.renewing(handler)
            let body = response.body
            response.body = ResponseBody(contentLength: body.contentLength) { writer in
                let writer = writer
                do {
                    try await held.renewing { @concurrent () async throws in try await body.write(writer) }
                } catch {
                    await held.release()
                    throw error
                }
                await held.release()
            }
            return response
        } catch {
            await held.release()
            throw error
        }
    }
}

extension HTTPField.Name {
    // The literal is a token (RFC 9110 5.6.2), so the initialiser does not return nil.
    // swift-format-ignore: NeverForceUnwrap
    static let xPriority = Self("X-Priority")!
}

extension HTTPFields {
    /// Sets fields that stand once each.
    mutating func set(_ fields: HTTPFields) {
        for field in fields { self[field.name] = field.value }
    }
}
