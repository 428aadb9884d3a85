internal import Crypto

/// Who is counted: an account, an API key, an address, everybody, or callers who keep to one pace.
///
/// Two identities share counts exactly when they are equal. The text form is what stands between the braces of a Redis
/// key, so it is injective by construction: a caller's bytes outside `[A-Za-z0-9._@-]` are never written as they are.
public struct Identity: Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing is counted.
    public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// A customer's account, with all of its keys.
        case account = "a"
        /// One API key.
        case key = "k"
        /// A network address.
        case address = "i"
        /// All subjects together.
        case global = "g"
        /// A pace that clients of somebody's API keep to together.
        ///
        /// No policy counts on it and no request names it, so that callers may share a Redis with a server and never its counts.
        case pace = "p"
    }

    /// What kind of thing is counted.
    public let kind: Kind

    /// The kind and the name as one tag: `a:acme`, or `a:#` and a SHA-256 when the name is not plain.
    public let tag: String

    /// The longest name, in bytes, that is written as it is.
    public static let longestPlainName = 256

    /// Creates the identity of a name.
    ///
    /// A name of 1 to 256 of `[A-Za-z0-9._@-]` is kept readable; any other is replaced by `#` and the hex SHA-256 of its bytes.
    /// - Throws: ``LimiterError/Code/badRequest`` when the name is empty or holds a NUL.
    public init(_ kind: Kind, _ name: String) throws(LimiterError) {
        let bytes = name.utf8
        guard !bytes.isEmpty else { throw LimiterError(.badRequest, "an identity is empty; expected 1 byte or more") }
        guard !bytes.contains(0) else { throw LimiterError(.badRequest, "an identity holds a NUL byte") }
        self.kind = kind
        if bytes.count <= Identity.longestPlainName, bytes.allSatisfy(Identity.isPlain) {
            tag = "\(kind.rawValue):\(name)"
        } else {
            tag = "\(kind.rawValue):#\(Identity.hex(SHA256.hash(data: Array(bytes))))"
        }
    }

    /// Creates an identity from its tag, as a lease carries it.
    /// - Throws: ``LimiterError/Code/badRequest`` when the text is not a tag.
    package init(tag: String) throws(LimiterError) {
        let parts = tag.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else {
            throw LimiterError(.badRequest, "an identity tag has no kind; expected one of a:, k:, i:, g:, p:")
        }
        let hashed = parts[1].utf8.first == UInt8(ascii: "#")
        let name = hashed ? parts[1].dropFirst() : parts[1]
        guard !name.isEmpty, name.utf8.count <= Identity.longestPlainName, name.utf8.allSatisfy(Identity.isPlain),
            !hashed || name.utf8.count == 64
        else {
            throw LimiterError(.badRequest, "an identity tag holds other bytes than [A-Za-z0-9._@-]")
        }
        self.kind = kind
        self.tag = tag
    }

    /// The tag.
    public var description: String { tag }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
