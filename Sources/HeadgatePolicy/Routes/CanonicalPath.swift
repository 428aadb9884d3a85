public import Headgate

/// A request's path in the one form that all of its spellings share.
///
/// Query, fragment and `;parameters` are gone; escapes of unreserved characters are decoded once and the others upper-case;
/// dot segments are resolved, slashes merged, the trailing slash stripped. Bringing a canonical path into canonical form
/// changes nothing. What servers read in different ways is refused: an encoded or raw backslash, an encoded slash, NUL, raw
/// control, blank and non-ASCII bytes, and broken escapes.
public struct CanonicalPath: Sendable, Hashable, CustomStringConvertible {
    /// The path: `*`, or `/` and segments.
    public let text: String

    /// The longest path, in bytes, without its query.
    public static let longest = 8_192

    /// Brings a request's target into canonical form: a path, or `http://host/path`, or the `*` of `OPTIONS *`.
    ///
    /// - Throws: ``LimiterError/Code/invalidPath`` saying what is wrong and where; the path itself is not repeated.
    public init(_ target: String) throws(LimiterError) {
        text = Self.isCanonical(target) ? target : try PathReader(target).canonical()
    }

    /// The path.
    public var description: String { text }

    /// Whether a target certainly is in canonical form already, as most are; saves the copy.
    private static func isCanonical(_ target: String) -> Bool {
        guard target.utf8.first == UInt8(ascii: "/") else { return false }
        var previous: UInt8 = 0
        var length = 0
        for byte in target.utf8 {
            switch byte {
            // A dot after a slash may begin a dot segment, and a percent sign an escape to decode.
            case UInt8(ascii: "/"): if previous == UInt8(ascii: "/") { return false }
            case UInt8(ascii: "."): if previous == UInt8(ascii: "/") { return false }
            default: if !ByteClass.isPlain(byte) { return false }
            }
            previous = byte
            length += 1
        }
        return length == 1 ? previous == UInt8(ascii: "/") : length <= longest && previous != UInt8(ascii: "/")
    }
}

/// What bytes mean in a path.
enum ByteClass {
    /// The characters that mean the same with and without escape.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }

    /// The characters that stand for themselves in a segment (RFC 3986 `pchar`), without `;`, which begins parameters.
    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "@"):
            true
        default:
            isUnreserved(byte)
        }
    }

    /// The value of a hex digit.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The escape of a byte, upper-case.
    static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
