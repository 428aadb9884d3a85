public import HeadgatePolicy

/// All that is wrong with a policy file.
public struct InvalidPolicyFile: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in the file's order; never empty.
    public let problems: [Problem]

    /// One line for each problem: `file:line:column: field: what was expected, what was found`.
    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// One thing that is wrong with a policy file.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The file's name.
        public let file: String
        /// Where in the file; `nil` when the file cannot be read at all.
        public let position: Position?
        /// Which field.
        public let field: FieldPath
        /// What was expected, and what was found.
        public let message: String

        /// The problem in one line.
        public var description: String {
            let place = position.map { "\(file):\($0.line):\($0.column)" } ?? file
            return field == .root ? "\(place): \(message)" : "\(place): \(field): \(message)"
        }
    }

    /// A place in a file, counted from 1.
    public struct Position: Sendable, Hashable, Comparable {
        /// The line.
        public let line: Int
        /// The column, in Unicode scalars.
        public let column: Int

        /// Orders by line, then by column.
        public static func < (left: Position, right: Position) -> Bool {
            (left.line, left.column) < (right.line, right.column)
        }
    }
}
