import HeadgateJSON
import HTTPTypes
import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgateProvider
import Hummingbird

/// An error of the decision API, answered as problem details (RFC 9457) with a `code`.
///
/// It says what the caller did wrong; of our own trouble it names the kind alone, so that no address, key or script text leaves.
struct Problem: HTTPResponseError, Equatable {
    let status: HTTPResponse.Status
    let code: String
    let detail: String
    var fields = HTTPFields()

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    init(_ error: LimiterError) {
        switch error.code {
        case .badRequest, .invalidPath, .invalidLimit, .unknownTier, .customLimitMissing:
            self.init(.badRequest, error.code.snakeCase, error.message)
        case .leaseLost:
            self.init(.notFound, error.code.snakeCase, "the lease is not held: it has ended, or was released")
        default:
            self.init(.serviceUnavailable, error.code.snakeCase, "rate limiting is temporarily unavailable")
            fields[.retryAfter] = String(Decision.unavailableRetrySeconds)
        }
    }

    var body: JSONValue {
        [
            "type": "about:blank",
            "title": .string(status.reasonPhrase),
            "status": .integer(Int64(status.code)),
            "detail": .string(detail),
            "code": .string(code),
        ]
    }

    func response(from request: Request, context: some RequestContext) -> Response {
        var response = Response(status: status, json: body, contentType: "application/problem+json")
        for field in fields { response.headers[field.name] = field.value }
        return response.answering(request)
    }
}
