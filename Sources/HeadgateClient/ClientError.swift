/// Why a call brought no answer.
///
/// Compare by ``code``; the message is for people and holds no address, key or body.
public struct ClientError: Error, Sendable, CustomStringConvertible {
    /// The kind of the failure.
    public let code: Code
    /// What went wrong.
    public let message: String
    /// How often the request was sent.
    public let attempts: Int
    /// The status of the last answer; nil when there was none.
    public let status: Int?
    /// The time that the server asks to be left in peace; nil when it did not say.
    public let retryAfter: Duration?
    /// The error underneath, when there is one.
    public let cause: (any Error)?

    /// Creates an error.
    public init(
        _ code: Code,
        _ message: String,
        attempts: Int = 0,
        status: Int? = nil,
        retryAfter: Duration? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.attempts = attempts
        self.status = status
        self.retryAfter = retryAfter
        self.cause = cause
    }

    /// The code and the message in one line.
    public var description: String { "\(code): \(message)" }

    /// The closed set of failures; adding one breaks nobody.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case rateLimited, unavailable, deadlineExceeded, connection
            case queueFull, cancelled, invalidRequest, sharedPace, batch
        }

        private let value: Value

        private init(_ value: Value) { self.value = value }

        /// The code's name, as it appears in logs and metrics.
        public var description: String { value.rawValue }

        /// A limit has no room for the request in time; it was not processed.
        public static let rateLimited = Code(.rateLimited)
        /// The server said that it cannot serve now, up to the last attempt.
        public static let unavailable = Code(.unavailable)
        /// The time was up before an answer was complete; what was under way may have been processed.
        public static let deadlineExceeded = Code(.deadlineExceeded)
        /// No connection could be made, or it broke; with ``ClientError/attempts`` above 0 the request may have been processed.
        public static let connection = Code(.connection)
        /// Too many calls wait already; the request was not sent.
        public static let queueFull = Code(.queueFull)
        /// The calling task was cancelled; what was under way may have been processed.
        public static let cancelled = Code(.cancelled)
        /// The request is wrong in itself; it was not sent.
        public static let invalidRequest = Code(.invalidRequest)
        /// The pace that several processes share could not be asked; the request was not sent.
        public static let sharedPace = Code(.sharedPace)
        /// The batch endpoint's answer has no result for this item.
        public static let batch = Code(.batch)
    }
}
