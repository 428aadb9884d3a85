internal import Headgate

/// Which master owns which slots: what `CLUSTER SLOTS` says.
struct SlotMap: Sendable, Hashable {
    /// The masters.
    private(set) var masters: [RedisEndpoint] = []
    /// Each slot's master, by its place among the masters; -1 when no master owns it.
    private(set) var owners = [Int16](repeating: -1, count: HashSlot.count)

    /// A map that knows nothing.
    init() {}

    /// Reads the reply to `CLUSTER SLOTS`; an empty host is the one that was asked.
    ///
    /// - Throws: ``LimiterError/Code/wireProtocol`` when it is no such reply, ``LimiterError/Code/clusterDown`` when no slot is owned.
    init(_ reply: RedisValue, askedAt host: String) throws(LimiterError) {
        for entry in reply.elements ?? [] {
            guard let parts = entry.elements, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                (0...last).contains(first), last < HashSlot.count, let node = parts[2].elements, node.count >= 2,
                let port = node[1].integer
            else { throw LimiterError(.wireProtocol, "a node's answer to CLUSTER SLOTS is no list of slots") }
            // A node that does not know where a master is names no host or "?", and a port of 0.
            let named = node[0].text ?? ""
            guard (1...65_535).contains(port), named != "?" else { continue }
            let place = index(of: .host(named.isEmpty ? host : named, port: Int(port)))
            for slot in Int(first)...Int(last) { owners[slot] = place }
        }
        guard !masters.isEmpty else { throw LimiterError(.clusterDown, "the node knows no masters: it is in no cluster, or owns no slots yet") }
    }

    /// The owner of a slot.
    subscript(slot: Int) -> RedisEndpoint? {
        owners[slot] < 0 ? nil : masters[Int(owners[slot])]
    }

    /// Notes that a slot has moved.
    mutating func move(_ slot: Int, to place: RedisEndpoint) { owners[slot] = index(of: place) }

    private mutating func index(of place: RedisEndpoint) -> Int16 {
        if let index = masters.firstIndex(of: place) { return Int16(index) }
        masters.append(place)
        return Int16(masters.count - 1)
    }
}
