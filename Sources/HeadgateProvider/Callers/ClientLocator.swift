import Headgate
public import HeadgateHTTP
package import HTTPTypes
package import NIOCore

/// Finds the address that a request came from, behind the proxies that are trusted.
public struct ClientLocator: Sendable {
    /// Whose forwarding headers are believed.
    public var trust: ProxyTrust

    /// By how many leading bits IPv6 addresses are told apart.
    public var prefix: Int

    /// Creates a locator; without arguments no header is believed.
    public init(trust: ProxyTrust = .nobody, prefix: Int = 64) {
        self.trust = trust
        self.prefix = prefix
    }

    /// The address that a request came from.
    ///
    /// A peer without an address, at a Unix socket, is 0.0.0.0: one client for all.
    package func address(_ fields: HTTPFields, peer: SocketAddress?) -> NetworkAddress {
        ClientAddress(peer: ClientLocator.address(of: peer), fields: fields, trust: trust).address
    }

    /// The address as requests are counted by it.
    func identity(_ fields: HTTPFields, peer: SocketAddress?) throws(LimiterError) -> Identity {
        try address(fields, peer: peer).identity(prefix: prefix)
    }

    /// Whether a connection's other end is a proxy that is believed.
    package func believes(_ peer: SocketAddress?) -> Bool { trust.trusts(ClientLocator.address(of: peer)) }

    private static func address(of peer: SocketAddress?) -> NetworkAddress {
        guard let text = peer?.ipAddress else { return NetworkAddress(v4: 0) }
        return NetworkAddress(text.prefix { $0 != "%" }) ?? NetworkAddress(v4: 0)
    }
}
