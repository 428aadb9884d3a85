package import Headgate

/// The names of the keys that hold counts: `<prefix>:{<identity's tag>}:<limit's id>:<format>`.
///
/// No part can hold the characters that end it, so different (identity, limit id, algorithm) never share a key; the braces
/// make Redis Cluster put all of an identity's keys into one slot.
package struct KeySpace: Sendable, Hashable {
    /// What every key begins with.
    package let prefix: String

    /// The name of the store's own identity, and the first of those that it has in the slots of a cluster.
    static let ownName = "headgate"

    /// Creates the names under a prefix of 1 to 32 of `[A-Za-z0-9._-]`.
    /// - Throws: ``LimiterError/Code/badRequest``.
    package init(prefix: String) throws(LimiterError) {
        guard (1...32).contains(prefix.utf8.count), prefix.utf8.allSatisfy(KeySpace.isPlain) else {
            throw LimiterError(.badRequest, "a key prefix is 1 to 32 of the characters A-Z, a-z, 0-9, '.', '_' and '-'")
        }
        self.prefix = prefix
    }

    /// The key of one identity's count of one limit.
    package func key(_ identity: Identity, _ limit: Limit) -> String {
        var key = ""
        pieces(of: identity, limit) { key += $0 }
        return key
    }

    /// Hands out the key of one identity's count of one limit piece by piece, so that nobody has to make the text.
    func pieces(of identity: Identity, _ limit: Limit, _ take: (String) -> Void) {
        take(prefix)
        take(":{")
        take(identity.tag)
        take("}:")
        take(limit.id)
        take(":")
        take(limit.algorithm.format)
    }

    /// What a key says, or `nil` when it is not one of ours.
    package func parse(_ key: String) -> (tag: String, limit: String, format: String)? {
        let head = "\(prefix):{"
        guard key.hasPrefix(head), let brace = key.firstIndex(of: "}") else { return nil }
        let tag = key[key.index(key.startIndex, offsetBy: head.count)..<brace]
        let parts = key[key.index(after: brace)...].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].isEmpty, !parts[1].isEmpty, !parts[2].isEmpty else { return nil }
        return (String(tag), String(parts[1]), String(parts[2]))
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}

extension Algorithm {
    /// How the state is stored: the algorithm and the version of its form.
    ///
    /// A new form gets a new number and new keys.
    package var format: String {
        switch self {
        case .slidingWindowLog: "log1"
        case .tokenBucket: "tb1"
        case .fixedWindow: "fw1"
        case .slidingWindowCounter: "swc1"
        case .concurrency: "con1"
        }
    }
}
