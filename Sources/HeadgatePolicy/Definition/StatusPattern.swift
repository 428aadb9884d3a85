public import Headgate

/// A response status, or all that begin with one digit: `304`, `5xx`.
public enum StatusPattern: Sendable, Hashable, CustomStringConvertible {
    /// This status.
    case exact(Int)
    /// The hundred statuses from this hundred on.
    case hundred(Int)

    /// Reads `304` or `5xx`.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when the text is neither.
    public init(_ text: String) throws(LimiterError) {
        if text.count == 3, text.hasSuffix("xx"), let digit = text.first?.wholeNumberValue, (1...5).contains(digit) {
            self = .hundred(digit)
        } else if text.utf8.count == 3, let status = Int64(digits: text), (100...599).contains(status) {
            self = .exact(Int(status))
        } else {
            throw LimiterError(.badRequest, "expected a status such as 304 or 5xx, found '\(text)'")
        }
    }

    /// Whether a status is meant.
    public func matches(_ status: Int) -> Bool {
        switch self {
        case .exact(let one): status == one
        case .hundred(let digit): status / 100 == digit
        }
    }

    /// The pattern as one writes it.
    public var description: String {
        switch self {
        case .exact(let status): String(status)
        case .hundred(let digit): "\(digit)xx"
        }
    }
}
