internal import Headgate

/// What a server says of itself in `INFO`.
struct ServerInfo {
    private let fields: [Substring: Substring]

    init(_ text: String) {
        var fields: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...]
        }
        self.fields = fields
    }

    /// The id of the server process, new with each start.
    var runID: String? { fields["run_id"].map(String.init) }

    /// How many keys were evicted since it started.
    var evictedKeys: Int64? { fields["evicted_keys"].flatMap { Int64($0) } }

    /// Why counts may be evicted; `nil` when they are not.
    ///
    /// A policy that evicts only keys with a time to live evicts ours: all counts have one.
    var unsafeEviction: LimiterError? {
        guard let policy = fields["maxmemory_policy"], policy != "noeviction" else { return nil }
        let said = RedisFault.printable(policy.utf8)
        return LimiterError(.unsafeEviction, "the server's maxmemory-policy is \(said), which may evict counts; expected noeviction")
    }
}
