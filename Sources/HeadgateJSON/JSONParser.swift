package import Headgate

/// Reads one JSON text (RFC 8259), strictly: UTF-8 only, no name twice in an object, no deep nesting, nothing behind the value.
///
/// Strictness is safety here: two readers that take different values for a name that stands twice see different subjects.
package struct JSONParser {
    private let bytes: [UInt8]
    private var index = 0

    /// Nesting beyond this is refused, so that a body of brackets cannot exhaust the stack.
    package static let deepest = 32

    /// The value that a text holds.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` with the place.
    package static func parse(_ bytes: [UInt8]) throws(LimiterError) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw LimiterError(.badRequest, "the body is not valid UTF-8; expected JSON in UTF-8")
        }
        var parser = JSONParser(bytes: bytes)
        parser.skipBlanks()
        guard parser.index < bytes.count else { throw LimiterError(.badRequest, "the body is empty; expected a JSON object") }
        let value = try parser.value(depth: 1)
        parser.skipBlanks()
        guard parser.index == bytes.count else { throw parser.error("the end of the text") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func error(_ expected: String) -> LimiterError {
        LimiterError(.badRequest, "the body is not valid JSON at byte \(index); expected \(expected)")
    }

    private mutating func value(depth: Int) throws(LimiterError) -> JSONValue {
        guard depth <= JSONParser.deepest else { throw error("at most \(JSONParser.deepest) levels of nesting") }
        guard let first = peek() else { throw error("a value") }
        switch first {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .boolean(true))
        case UInt8(ascii: "f"): return try literal("false", .boolean(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("a value")
        }
    }

    private mutating func object(depth: Int) throws(LimiterError) -> JSONValue {
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        try list(until: UInt8(ascii: "}")) { (parser) throws(LimiterError) in
            guard parser.peek() == UInt8(ascii: "\"") else { throw parser.error("a name in double quotes") }
            let name = try parser.string()
            guard names.insert(name).inserted else { throw parser.error("each name once in an object") }
            parser.skipBlanks()
            guard parser.take(UInt8(ascii: ":")) else { throw parser.error("':'") }
            parser.skipBlanks()
            members.append(JSONValue.Member(name: name, value: try parser.value(depth: depth + 1)))
        }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(LimiterError) -> JSONValue {
        var elements: [JSONValue] = []
        try list(until: UInt8(ascii: "]")) { (parser) throws(LimiterError) in
            elements.append(try parser.value(depth: depth + 1))
        }
        return .array(elements)
    }

    /// Reads elements between commas, from the opening bracket to the closing one.
    private mutating func list(until end: UInt8, _ element: (inout JSONParser) throws(LimiterError) -> Void) throws(LimiterError) {
        index += 1
        skipBlanks()
        if take(end) { return }
        while true {
            skipBlanks()
            try element(&self)
            skipBlanks()
            if take(end) { return }
            guard take(UInt8(ascii: ",")) else { throw error("',' or '\(Unicode.Scalar(end))'") }
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(LimiterError) -> JSONValue {
        let text = Array(text.description.utf8)
        guard bytes[index...].starts(with: text) else { throw error("a value") }
        index += text.count
        return value
    }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
    }
}

// MARK: Numbers and strings

extension JSONParser {
    private mutating func number() throws(LimiterError) -> JSONValue {
        let start = index
        _ = take(UInt8(ascii: "-"))
        let leading = index
        guard skipDigits() > 0, bytes[leading] != UInt8(ascii: "0") || index == leading + 1 else { throw error("a number") }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard skipDigits() > 0 else { throw error("a digit") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw error("a digit") }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        return if isWhole, let value = Int64(text) { .integer(value) } else { .number(text) }
    }

    private mutating func skipDigits() -> Int {
        let start = index
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index - start
    }

    private mutating func string() throws(LimiterError) -> String {
        index += 1
        var text: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                index += 1
                text += String(try escape()).utf8
            case 0x00..<0x20:
                throw error("an escape in place of a control character")
            default:
                index += 1
                text.append(byte)
            }
        }
        throw error("a closing '\"'")
    }

    private mutating func escape() throws(LimiterError) -> Unicode.Scalar {
        guard let byte = peek() else { throw error("an escape") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw error("one of the escapes of JSON")
        }
    }

    private mutating func unicodeEscape() throws(LimiterError) -> Unicode.Scalar {
        let first = try fourHexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("both halves of a surrogate pair") }
        let second = try fourHexDigits()
        guard (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) else {
            throw error("both halves of a surrogate pair")
        }
        return scalar
    }

    private mutating func fourHexDigits() throws(LimiterError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error("four hex digits") }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
