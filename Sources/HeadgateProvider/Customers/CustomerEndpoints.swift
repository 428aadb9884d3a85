import HeadgateUsage
import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateHummingbird
import HeadgateJSON
import HeadgatePolicy
public import Hummingbird
import NIOCore

/// Answers what customers ask of their own limits: usage, boosts, analytics and requests for more.
///
/// These cost nothing; their answers show the limits of the class that they belong to, as they stand. It stands before
/// ``ProviderMiddleware``, and answers whatever the router has.
public struct CustomerEndpoints<Context: RemoteAddressRequestContext>: RouterMiddleware {
    private let provider: Provider

    /// Creates the endpoints of a provider.
    public init(_ provider: Provider) { self.provider = provider }

    /// Answers a request for one of the endpoints, and passes every other on.
    ///
    /// - Returns: The answer.
    /// - Throws: What later handlers throw.
    public func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let path = try? provider.policy.routePath(of: request.uri.path), let endpoint = CustomerEndpoint(rawValue: path) else {
            return try await next(request, context)
        }
        return try await refusing(request, context) { try await answer(endpoint, request, context) }
    }

    /// The answer of a body, or the one to what it throws.
    private func refusing(_ request: Request, _ context: Context, _ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let error as LimiterError {
            return Response(provider.style.refusal(for: error), to: request)
        } catch let error as AccountError {
            return RefusedRequest(error, provider.style).response(from: request, context: context)
        } catch let error as RefusedRequest {
            return error.response(from: request, context: context)
        }
    }

    private func answer(_ endpoint: CustomerEndpoint, _ request: Request, _ context: Context) async throws -> Response {
        guard endpoint.methods.contains(request.method) else {
            var fields = HTTPFields()
            fields[.allow] = endpoint.methods.map(\.rawValue).joined(separator: ", ")
            throw RefusedRequest(
                provider.style.refusal(
                    .methodNotAllowed,
                    code: "method_not_allowed",
                    message: "The method is not allowed here",
                    headerFields: fields
                )
            )
        }
        let caller = try await provider.caller(request, context: context)
        let target = Endpoint(method: request.method.rawValue, path: request.uri.path)
        async let peeked = provider.limiter.peek(for: caller.subject, on: target)
        var response = try await refusing(request, context) { try await respond(endpoint, request, caller) }
        var fields = try await peeked.headerFields(provider.style)
        // It may report a refusal, and is none of the limit's itself.
        fields[.retryAfter] = nil
        for field in fields { response.headers[field.name] = field.value }
        return response.answering(request)
    }

    private func respond(_ endpoint: CustomerEndpoint, _ request: Request, _ caller: Caller) async throws -> Response {
        switch endpoint {
        case .limits:
            let include = request.uri.queryParameters.getAll("include").map { String($0) }
            return Response(json: try await provider.overview(of: caller.subject, include: include))
        case .usage:
            let period = try UsageQuery(request.uri.queryParameters).period
            let report = try await provider.reports.report(for: caller.subject.identity, period: period)
            return Response(json: JSONValue(report, of: caller.account.id, policy: provider.policy))
        case .boost:
            return Response(status: .created, json: try await provider.takeBoost(caller, try await request.boundedBody(provider.style)))
        case .increase:
            return Response(
                status: .accepted,
                json: try await provider.askForIncrease(caller, try await request.boundedBody(provider.style))
            )
        }
    }
}
