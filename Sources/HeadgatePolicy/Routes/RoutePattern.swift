public import Headgate

/// Which requests a rule is for: `POST /endpoints/*/execute`, `GET /accounts/*` or `* /ai/**`.
///
/// `*` is exactly one segment inside a path; `**` is any number of segments, also none, anywhere; a trailing `/*` is the
/// collection itself and everything below it, like a trailing `/**`. The method `*` is any, and GET is HEAD too.
public struct RoutePattern: Sendable, Hashable, CustomStringConvertible {
    /// The method, upper-case; `nil` is any.
    public let method: String?

    /// The path as written, in canonical form.
    public let path: String

    /// `* /**`.
    public static let everything = RoutePattern(method: nil, path: "/**", segments: [.deep])

    let segments: [Segment]

    enum Segment: Sendable, Hashable {
        case literal(String)
        /// Exactly one segment.
        case one
        /// Any number of segments.
        case deep
    }

    /// Reads a pattern.
    ///
    /// - Throws: ``LimiterError/Code/invalidPath`` when the text is no pattern.
    public init(_ text: String) throws(LimiterError) {
        let words = text.split(separator: " ")
        guard words.count == 2 else {
            throw LimiterError(.invalidPath, "expected a method and a path such as 'GET /accounts/*' or '* /ai/**', found '\(text)'")
        }
        guard words[0].utf8.allSatisfy(Self.isToken) else {
            throw LimiterError(.invalidPath, "expected a method such as GET, or * for any, found '\(words[0])'")
        }
        method = words[0] == "*" ? nil : words[0].uppercased()
        guard words[1].first == "/", !words[1].contains(where: { $0 == "?" || $0 == "#" || $0 == ";" }) else {
            throw LimiterError(.invalidPath, "expected a path that begins with '/', without query and parameters, found '\(words[1])'")
        }
        path = try CanonicalPath(String(words[1])).text
        segments = try Self.segments(of: path)
    }

    private init(method: String?, path: String, segments: [Segment]) {
        self.method = method
        self.path = path
        self.segments = segments
    }

    private static func segments(of path: String) throws(LimiterError) -> [Segment] {
        let names = path.split(separator: "/")
        var segments: [Segment] = []
        for (index, name) in names.enumerated() {
            switch name {
            case "*" where index < names.count - 1: segments.append(.one)
            // Neighbouring `**` mean the same as one.
            case "*", "**": if segments.last != .deep { segments.append(.deep) }
            default:
                guard !name.contains("*"), name.first != ":", !name.hasPrefix("%7B") else {
                    throw LimiterError(.invalidPath, "expected names, * for one segment or ** for any number as segments, found '\(name)'")
                }
                segments.append(.literal(String(name)))
            }
        }
        return segments
    }

    static func isToken(_ byte: UInt8) -> Bool {
        // RFC 9110, 5.6.2
        byte > 0x20 && byte < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains(byte)
    }

    /// Method and path.
    public var description: String { "\(method ?? "*") \(path)" }

    /// Method and path in one word: the id of a limit that has no other.
    var limitID: String { "\(method ?? "*")\(path)" }

    /// How specific the pattern is, from the left; the greater of two wins.
    ///
    /// An end beats "anything below".
    var specificity: [UInt8] {
        let end: UInt8 = 2
        return segments.map { segment in
            switch segment {
            case .literal: 4
            case .one: 3
            case .deep: 1
            }
        } + [end]
    }
}
