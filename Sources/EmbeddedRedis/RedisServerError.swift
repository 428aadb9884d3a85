/// Why a private Redis server did not start.
public struct RedisServerError: Error, Sendable, CustomStringConvertible {
    /// The kind of the failure.
    public let code: Code

    /// What went wrong and what helps, with the end of the server's log when there is one.
    public let message: String

    /// The message.
    public var description: String { message }

    /// The kinds of failure.
    public struct Code: Sendable, Hashable {
        private enum Value { case notInstalled, failed, timedOut, cancelled }

        private let value: Value

        private init(_ value: Value) { self.value = value }

        /// No redis-server is in the search path.
        public static let notInstalled = Code(.notInstalled)
        /// The server, or what is needed to run it, ended with an error.
        public static let failed = Code(.failed)
        /// The server did not become ready in time.
        public static let timedOut = Code(.timedOut)
        /// The calling task was cancelled.
        public static let cancelled = Code(.cancelled)
    }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
