internal import Headgate

/// The names of the keys that hold records.
///
/// None of them has the form of a count's key, and those of one account share its hash tag.
struct RecordKeys: Sendable {
    let prefix: String

    func account(of identity: Identity) -> String { "\(prefix):{\(identity.tag)}:account" }
    func account(_ id: String) throws(LimiterError) -> String { account(of: try Identity(.account, id)) }
    func keys(of account: String) throws(LimiterError) -> String { "\(prefix):{\(try Identity(.account, account).tag)}:keys" }
    func audit(of account: String) throws(LimiterError) -> String { "\(prefix):{\(try Identity(.account, account).tag)}:audit" }
    func key(_ id: String) throws(LimiterError) -> String { "\(prefix):{\(try Identity(.key, id).tag)}:key" }
    func audit(ofKey id: String) throws(LimiterError) -> String { "\(prefix):{\(try Identity(.key, id).tag)}:audit" }

    /// A stream: which records were changed, for the instances' caches.
    var changes: String { "\(prefix):{g:headgate}:changes" }
    /// A hash: the requests for more, by id.
    var increases: String { "\(prefix):{g:headgate}:limit-increases" }
    /// The text of the policy that is served.
    var policy: String { "\(prefix):{g:headgate}:policy" }
    /// What `SCAN` finds accounts by.
    var everyAccount: String { "\(prefix):{a:*}:account" }
}

/// Who changes something, for the audit: `cli alice`, `admin`, `key 5r1d...`.
public struct Actor: Sendable, Hashable {
    /// The name.
    public let name: String

    /// Creates an actor; control characters are replaced and the name is cut to 128 characters.
    public init(_ name: String) {
        self.name = String(name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) }.prefix(128))
    }
}

/// One change to a record, as it is audited.
struct Note {
    var what: String
    var old: String = ""
    var new: String = ""
    var reason: String = ""

    func fields(by actor: Actor) -> [String] { ["what", what, "who", actor.name, "old", old, "new", new, "reason", reason] }
}
