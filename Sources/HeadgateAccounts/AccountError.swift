public import Headgate

/// Why something could not be done with an account, a key or a request for more.
public struct AccountError: Error, Sendable, CustomStringConvertible {
    /// The kind of the failure.
    public let code: Code

    /// What went wrong and what was expected, free of secrets and of what is ours alone.
    public let message: String

    /// The field at fault; `nil` when it is no field of the request.
    public let field: String?

    /// The store's error, when it gave no answer.
    public let cause: LimiterError?

    /// Creates an error.
    public init(_ code: Code, _ message: String, field: String? = nil, cause: LimiterError? = nil) {
        self.code = code
        self.message = message
        self.field = field
        self.cause = cause
    }

    /// The error of a store, or of a value that the limiter refuses.
    public init(_ error: LimiterError, field: String? = nil) {
        switch error.code {
        case .badRequest, .invalidLimit, .unknownTier, .customLimitMissing, .invalidPath:
            self.init(.invalid, error.message, field: field)
        default:
            self.init(.unavailable, "Redis gave no answer: \(error.code)", cause: error)
        }
    }

    /// Redis' error, whichever: a command that it refuses is our fault and never the caller's.
    init(ofRedis error: LimiterError) {
        let code = error.code == .badRequest ? .script : error.code
        self.init(.unavailable, "Redis gave no answer: \(code)", cause: LimiterError(code, error.message, charge: error.charge))
    }

    /// The message, with the field when there is one.
    public var description: String { field.map { "\($0): \(message)" } ?? message }

    /// The closed set of failures; adding one breaks nobody.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String { case notFound, exists, conflict, invalid, notAllowed, unavailable }

        private let value: Value

        private init(_ value: Value) { self.value = value }

        /// The code's name.
        public var description: String { value.rawValue }

        /// There is no such account, key, override, boost or request.
        public static let notFound = Code(.notFound)
        /// There is one already.
        public static let exists = Code(.exists)
        /// It is in a state in which this cannot be done, or others changed it again and again.
        public static let conflict = Code(.conflict)
        /// A value is wrong; sending it again changes nothing.
        public static let invalid = Code(.invalid)
        /// The key lacks the permission, or the policy's caps are reached.
        public static let notAllowed = Code(.notAllowed)
        /// Redis gave no answer; whether a change was made is unknown unless the cause says so.
        public static let unavailable = Code(.unavailable)
    }
}

/// Runs a body whose errors are those of the store or of a value.
func mapping<Result>(_ field: String? = nil, _ body: () throws(LimiterError) -> Result) throws(AccountError) -> Result {
    do { return try body() } catch { throw AccountError(error, field: field) }
}
