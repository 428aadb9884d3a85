/// Where a cluster's node sends a call: what `MOVED` and `ASK` say.
struct Redirect: Sendable, Hashable {
    /// The slot.
    let slot: Int
    /// The host, empty when it is the one that said so.
    let host: String
    /// The port.
    let port: Int

    /// Reads `MOVED 3999 127.0.0.1:6381`; `nil` when it is no such line, or names no place that can be connected to.
    init?(_ line: some StringProtocol) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "MOVED" || words[0] == "ASK",
            let slot = Redirect.number(words[1], below: HashSlot.count),
            let colon = words[2].lastIndex(of: ":"),
            let port = Redirect.number(words[2][words[2].index(after: colon)...], below: 65_536), port > 0
        else { return nil }
        let host = words[2][..<colon]
        guard host.isEmpty || Redirect.isHost(host) else { return nil }
        self.slot = slot
        self.host = String(host)
        self.port = port
    }

    /// Whether a node's text can be a host's name or address; one that does not know an address says "?".
    static func isHost(_ text: some StringProtocol) -> Bool {
        text != "?" && (1...253).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func number(_ text: some StringProtocol, below bound: Int) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text).flatMap { $0 < bound ? $0 : nil }
    }
}
