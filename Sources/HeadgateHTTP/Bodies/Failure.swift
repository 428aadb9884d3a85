import Headgate
import HTTPTypes

/// An error that is not the store's, in words fit for a client.
struct Failure {
    let status: HTTPResponse.Status
    let code: String
    let message: String
    /// The field of the request that is at fault.
    var field: String?

    init(_ status: HTTPResponse.Status, _ code: String, _ message: String, field: String?) {
        self.status = status
        self.code = code
        self.message = message
        self.field = field
    }

    /// The failure, or `nil` when the error is our own trouble and passes by itself; that is what any new code is taken for.
    init?(_ error: LimiterError) {
        switch error.code {
        case .badRequest, .invalidPath, .invalidLimit: (status, message) = (.badRequest, error.message)
        case .unknownTier: (status, message) = (.badRequest, "The subject's tier is not known")
        case .customLimitMissing: (status, message) = (.badRequest, "The subject's tier needs a limit of its own, and it has none")
        case .leaseLost: (status, message) = (.notFound, "The lease has ended")
        case .alreadyRefunded: (status, message) = (.conflict, "The decision was refunded before")
        case .noRules: (status, message) = (.internalServerError, "The limiter has no rules")
        default: return nil
        }
        code = error.code.snakeCase
    }
}
