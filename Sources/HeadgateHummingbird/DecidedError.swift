import HTTPTypes
import Hummingbird

/// A handler's error, whose response carries the decision's header fields.
///
/// It stays an error, so that middleware further out still sees one.
struct DecidedError: HTTPResponseError, CustomStringConvertible {
    let error: any Error
    let fields: HTTPFields

    var status: HTTPResponse.Status { (error as? any HTTPResponseError)?.status ?? .internalServerError }

    var description: String { "\(error)" }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try (error as? any HTTPResponseError)?.response(from: request, context: context) ?? Response(status: status)
        response.headers.set(fields)
        return response
    }
}
