import HTTPTypes
import Headgate
public import HeadgateAccounts
public import HeadgateHTTP
import HeadgateHummingbird
public import Hummingbird

/// A request that does not go on, with the answer that says why, in the policy's style.
public struct RefusedRequest: HTTPResponseError {
    /// The answer.
    public let refusal: HTTPRefusal

    /// Creates an error of an answer.
    public init(_ refusal: HTTPRefusal) { self.refusal = refusal }

    /// The answer to what could not be done with an account.
    ///
    /// Of our own trouble it says no more than that there is some.
    public init(_ error: AccountError, _ style: ResponseStyle) {
        let (status, code): (HTTPResponse.Status, String)
        switch error.code {
        case .notFound: (status, code) = (.notFound, "not_found")
        case .exists: (status, code) = (.conflict, "already_exists")
        case .conflict: (status, code) = (.conflict, "conflict")
        case .invalid: (status, code) = (.badRequest, "invalid_field")
        case .notAllowed: (status, code) = (.forbidden, "not_allowed")
        default:
            refusal = style.refusal(for: error.cause ?? LimiterError(.wireProtocol, error.message))
            return
        }
        refusal = style.refusal(status, code: code, message: error.message, field: error.field)
    }

    /// The answer's status.
    public var status: HTTPResponse.Status { refusal.status }

    /// The answer.
    public func response(from request: Request, context: some RequestContext) -> Response { Response(refusal, to: request) }
}
