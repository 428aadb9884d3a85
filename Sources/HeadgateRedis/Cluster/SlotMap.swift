internal import Headgate

/// Which master owns which slots: what `CLUSTER SLOTS` says.
struct SlotMap: Sendable, Hashable {
    /// The masters.
    private(set) var masters: [RedisEndpoint] = []
    /// Each slot's master, by its place among the masters; -1 when no master owns it.
    private(set) var owners = [Int16](repeating: -1, count: HashSlot.count)

    /// The most masters: more than any cluster has.
    static let mostMasters = 1_000

    /// A map that knows nothing.
    init() {}

    /// Reads the reply to `CLUSTER SLOTS`; an empty host is the one that was asked.
    ///
    /// - Throws: ``LimiterError/Code/wireProtocol`` when it is no such reply, ``LimiterError/Code/clusterDown`` when no slot is owned.
    init(_ reply: RedisValue, askedAt host: String) throws(LimiterError) {
        var named = 0
        for entry in reply.elements ?? [] {
            guard let parts = entry.elements, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                first >= 0, first <= last, last < HashSlot.count, let node = parts[2].elements, node.count >= 2,
                let port = node[1].integer
            else { throw LimiterError(.wireProtocol, "a node's answer to CLUSTER SLOTS is no list of slots") }
            named += Int(last - first) + 1
            // No slot has two masters, so this bounds the work, too.
            guard named <= HashSlot.count else { throw LimiterError(.wireProtocol, "a node's answer to CLUSTER SLOTS names slots twice") }
            // A node that does not know where a master is names no host or "?", and a port of 0.
            let name = node[0].text ?? ""
            guard (1...65_535).contains(port), name.isEmpty || Redirect.isHost(name) else { continue }
            guard let place = index(of: .host(name.isEmpty ? host : name, port: Int(port))) else {
                throw LimiterError(.wireProtocol, "a node's answer to CLUSTER SLOTS names more than \(SlotMap.mostMasters) masters")
            }
            for slot in Int(first)...Int(last) { owners[slot] = place }
        }
        guard !masters.isEmpty else {
            throw LimiterError(.clusterDown, "the node knows no masters: it is in no cluster, or owns no slots yet")
        }
    }

    /// The owner of a slot.
    subscript(slot: Int) -> RedisEndpoint? {
        owners[slot] < 0 ? nil : masters[Int(owners[slot])]
    }

    /// The first of a row of tags whose keys are in a slot of a master; `nil` when it owns none.
    func tag(of master: Int16) -> String? {
        guard owners.contains(master) else { return nil }
        return (0..<200_000).lazy.map { $0 == 0 ? KeySpace.ownName : "\(KeySpace.ownName)-\($0)" }.first {
            owners[HashSlot.of("{g:\($0)}")] == master
        }
    }

    /// Notes that a slot has moved.
    ///
    /// Nothing is noted when that would be one master too many.
    mutating func move(_ slot: Int, to place: RedisEndpoint) {
        if let index = index(of: place) { owners[slot] = index }
    }

    private mutating func index(of place: RedisEndpoint) -> Int16? {
        if let index = masters.firstIndex(of: place) { return Int16(index) }
        guard masters.count < SlotMap.mostMasters else { return nil }
        masters.append(place)
        return Int16(masters.count - 1)
    }
}
