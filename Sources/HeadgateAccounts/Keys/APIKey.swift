internal import Crypto
public import Headgate

/// What is known of an API key; its secret is known to its holder alone.
public struct APIKey: Sendable, Hashable {
    /// The key's name in records, logs and limits per key; it opens nothing.
    public let id: String
    /// The SHA-256 of the secret, in hex.
    package let digest: String
    /// The account that it belongs to.
    public let account: String
    /// What it may do, and what it changes.
    public var permissions: Set<String>
    /// What its holder calls it.
    public var name: String
    /// When it was created, by Redis' clock.
    public var created: StoreTime
    /// When it was last seen, about a minute late; `nil` before it was.
    public var lastUsed: StoreTime?
    /// When it was revoked; `nil` while it opens.
    public var revoked: StoreTime?
    /// How often it was changed.
    package var revision: Int64

    init(id: String, digest: String, account: String, permissions: Set<String>, name: String, created: StoreTime) {
        self.id = id
        self.digest = digest
        self.account = account
        self.permissions = permissions
        self.name = name
        self.created = created
        revision = 0
    }

    /// The key in a hash; nil when the hash holds none.
    init?(fields: [String: String]) {
        guard let id = fields["id"], let digest = fields["sha256"], digest.utf8.count == 64, let account = fields["account"],
            let revision = fields["revision"].flatMap({ Int64($0) })
        else { return nil }
        self.init(
            id: id,
            digest: digest,
            account: account,
            permissions: Set((fields["permissions"] ?? "").split(separator: ",").map { String($0) }),
            name: fields["name"] ?? "",
            created: fields["created"].flatMap { StoreTime(rfc3339: $0) } ?? StoreTime(microseconds: 0)
        )
        lastUsed = fields["last_used"].flatMap { StoreTime(rfc3339: $0) }
        // A mark that cannot be read is a mark all the same.
        revoked = fields["revoked"].map { StoreTime(rfc3339: $0) ?? StoreTime(microseconds: 0) }
        self.revision = revision
    }

    /// The hash's fields but the revision and the last use, which is written by itself.
    var fields: [String: String] {
        var fields = [
            "id": id, "sha256": digest, "account": account, "permissions": permissions.sorted().joined(separator: ","), "name": name,
            "created": created.rfc3339,
        ]
        fields["revoked"] = revoked?.rfc3339
        return fields
    }
}

/// The text that a caller sends: an id that finds the record, and a secret that proves the right to it.
package struct KeyText: Sendable {
    package let id: String
    /// The SHA-256 of the secret, in hex.
    let digest: String
    private let secret: String

    private static let mark = "hgk"

    /// A fresh key.
    init() { self.init(id: RandomText.id(""), secret: RandomText.secret()) }

    private init(id: String, secret: String) {
        self.id = id
        self.secret = secret
        digest = SHA256.hash(data: Array(secret.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }

    /// Reads `hgk_<id>_<secret>`; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 128 else { return nil }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == KeyText.mark, (8...32).contains(parts[1].utf8.count), (20...64).contains(parts[2].utf8.count),
            parts[1].utf8.allSatisfy(KeyText.isPlain), parts[2].utf8.allSatisfy(KeyText.isPlain)
        else { return nil }
        self.init(id: String(parts[1]), secret: String(parts[2]))
    }

    /// The whole text, which is shown once.
    var text: String { "\(KeyText.mark)_\(id)_\(secret)" }

    /// Whether the secret is that of a record, in time that does not depend on where they differ.
    package func opens(_ key: APIKey?) -> Bool {
        // Without a record the work is the same, so that time does not tell whether there is one.
        let expected = key?.digest ?? String(repeating: "0", count: 64)
        return KeyText.areEqual(expected.utf8, digest.utf8) && key != nil
    }

    /// Whether texts of one length are the same, after a look at each byte of both, wherever they differ.
    static func areEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
