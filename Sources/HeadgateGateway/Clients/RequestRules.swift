import NIOHTTP1

/// What a request's head must keep to, beyond what the parser asks, so that nobody behind this server reads it differently.
///
/// The parser already refuses control characters and line breaks in values, folded lines, blanks before a colon, several or
/// malformed `Content-Length`, and `Content-Length` beside `Transfer-Encoding`; `RequestRulesTests` holds it to that.
enum RequestRules {
    /// Whether a head keeps to the rules (RFC 9112 3.2 and 6.1).
    static func allow(_ head: HTTPRequestHead) -> Bool {
        hostStandsOnce(head) && framingIsPlain(head) && head.headers.allSatisfy { !$0.value.wasMangled }
    }

    private static func hostStandsOnce(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["Host"]
        guard let host = hosts.first else { return head.version < .http1_1 }
        return hosts.count == 1 && host.utf8.allSatisfy(isHostByte)
    }

    /// The parser hands over the head of a request whose transfer coding it does not know, and refuses it afterwards.
    private static func framingIsPlain(_ head: HTTPRequestHead) -> Bool {
        let codings = head.headers["Transfer-Encoding"]
        return codings.isEmpty || (codings.count == 1 && codings[0].lowercased() == "chunked" && head.version >= .http1_1)
    }

    /// Whether a byte can stand in `uri-host [ ":" port ]` (RFC 3986 3.2.2); a comma could also be the joint of two fields.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~%!$&'()*+;=:[]".utf8.contains(byte)
        }
    }
}

extension String {
    /// Whether bytes that were no UTF-8 have been replaced in it.
    fileprivate var wasMangled: Bool { unicodeScalars.contains("\u{FFFD}") }
}

extension HTTPVersion {
    fileprivate static func < (one: HTTPVersion, other: HTTPVersion) -> Bool { (one.major, one.minor) < (other.major, other.minor) }
    fileprivate static func >= (one: HTTPVersion, other: HTTPVersion) -> Bool { !(one < other) }
}
