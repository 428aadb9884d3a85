public import Headgate

extension NetworkAddress {
    /// How much of an IPv6 address is one client: whoever has a network of 64 bits can take any address in it.
    public static let clientPrefix = 64

    /// Who is counted when this address is: an IPv4 address by itself, an IPv6 address with all others of its network.
    ///
    /// The name is readable and no two networks share one: `192.0.2.1`, `2001-db8-0-1_64`.
    ///
    /// - Parameter prefix: The bits of an IPv6 address that make its network, 48 to 128.
    /// - Returns: The identity, of the kind ``Identity/Kind/address``.
    /// - Throws: ``LimiterError/Code/badRequest`` when the prefix is another.
    public func identity(prefix: Int = clientPrefix) throws(LimiterError) -> Identity {
        guard (48...128).contains(prefix) else {
            throw LimiterError(.badRequest, "\(prefix) bits are no network of one client; expected 48 to 128")
        }
        return try Identity(.address, family == .v4 ? description : network(prefix))
    }

    /// The groups that hold the network's bits, and their number.
    private func network(_ prefix: Int) -> String {
        let groups = first(prefix).groups.prefix((prefix + 15) / 16)
        return groups.map { String($0, radix: 16) }.joined(separator: "-") + "_\(prefix)"
    }
}
