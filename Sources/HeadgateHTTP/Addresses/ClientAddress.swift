public import HTTPTypes

/// The address that a request comes from, as far as proxies are believed.
///
/// It is the last address of the way from this process to the client that a believed proxy vouches for, or else the connection's
/// own. A client can write what it likes into its fields: only what stands to the right of the last believed proxy counts.
public struct ClientAddress: Sendable, Hashable {
    /// The address.
    public let address: NetworkAddress

    /// Finds the client of a request.
    ///
    /// `X-Forwarded-For` is read from its right end, all of its lines as one; `Forwarded` only when there is none. A field that is
    /// missing, ends early or cannot be read gives the last believed proxy's address: there always is one. `X-Real-IP` is never
    /// looked at, and neither is `Connection`.
    ///
    /// - Parameters:
    ///   - peer: The connection's other end.
    ///   - fields: The request's fields.
    ///   - trust: The proxies that are believed.
    public init(peer: NetworkAddress, fields: HTTPFields, trust: ProxyTrust) {
        address =
            switch trust {
            case .nobody: peer
            case .ranges: ClientAddress.firstStranger(peer, ForwardedHops(fields), trust)
            case .hops(let count): ClientAddress.last(of: count, peer, ForwardedHops(fields))
            }
    }

    /// The first address that is no believed proxy's.
    private static func firstStranger(_ peer: NetworkAddress, _ hops: ForwardedHops, _ trust: ProxyTrust) -> NetworkAddress {
        guard trust.trusts(peer) else { return peer }
        var known = peer
        for hop in hops {
            guard let hop else { break }
            known = hop
            if !trust.trusts(hop) { break }
        }
        return known
    }

    /// The address so many steps behind the peer, or the last that can be told.
    private static func last(of count: Int, _ peer: NetworkAddress, _ hops: ForwardedHops) -> NetworkAddress {
        var known = peer
        for hop in hops.prefix(count) {
            guard let hop else { break }
            known = hop
        }
        return known
    }
}
