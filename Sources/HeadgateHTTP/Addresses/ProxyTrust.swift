public import Headgate

/// Which proxies are believed when they say on whose behalf they ask.
public enum ProxyTrust: Sendable, Hashable {
    /// None: a client is the address that its connection comes from.
    case nobody

    /// Those with these addresses.
    case ranges([AddressRange])

    /// As many as stand between the clients and this process, whatever their addresses; nobody can go round them.
    case hops(Int)

    /// Reads `nobody`, a number of proxies such as `1`, or a list of addresses and ranges such as `10.0.0.0/8,::1`.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` naming what is wrong.
    public init(_ text: String) throws(LimiterError) {
        let entries = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
        if entries == ["nobody"] || entries == ["0"] {
            self = .nobody
        } else if entries.count == 1, let hops = Int(entries[0]) {
            guard (1...ProxyTrust.mostHops).contains(hops) else {
                throw LimiterError(.badRequest, "\(hops) proxies are out of range; expected 0 to \(ProxyTrust.mostHops)")
            }
            self = .hops(hops)
        } else {
            var ranges: [AddressRange] = []
            for entry in entries {
                guard !entry.isEmpty else {
                    throw LimiterError(
                        .badRequest,
                        "'\(text)' names no proxies; expected 'nobody', a number, or a list such as 10.0.0.0/8,::1"
                    )
                }
                ranges.append(try AddressRange(entry))
            }
            self = .ranges(ranges)
        }
    }

    /// Whether what a connection's other end says of its client is believed.
    public func trusts(_ peer: NetworkAddress) -> Bool {
        switch self {
        case .nobody: false
        case .ranges(let ranges): ranges.contains { $0.contains(peer) }
        case .hops: true
        }
    }

    /// As many proxies as are looked at.
    static let mostHops = 64
}

extension ProxyTrust: CustomStringConvertible {
    /// The text that is read as this.
    public var description: String {
        switch self {
        case .nobody: "nobody"
        case .ranges(let ranges): ranges.map(\.description).joined(separator: ",")
        case .hops(let hops): "\(hops)"
        }
    }
}
