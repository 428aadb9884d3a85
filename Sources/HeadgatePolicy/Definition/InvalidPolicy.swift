/// All that is wrong with a policy.
public struct InvalidPolicy: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in the policy's order; never empty.
    public let problems: [Problem]

    /// Creates an error.
    public init(_ problems: [Problem]) { self.problems = problems }

    /// One line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// One thing that is wrong with a policy.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// Where.
        public let path: FieldPath
        /// What was expected, and what was found.
        public let message: String

        /// Creates a problem.
        public init(_ path: FieldPath, _ message: String) {
            self.path = path
            self.message = message
        }

        /// The field and the message in one line.
        public var description: String { "\(path): \(message)" }
    }
}
