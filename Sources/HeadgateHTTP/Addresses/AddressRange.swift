public import Headgate

/// The addresses that share their first bits, such as `10.0.0.0/8`; or one address.
public struct AddressRange: Sendable, Hashable {
    private let network: NetworkAddress
    private let prefix: Int

    /// Reads an address, or an address and the number of its bits that count: `::1`, `10.0.0.0/8`, `2001:db8::/32`.
    ///
    /// A range of IPv4-mapped addresses is the range of the IPv4 addresses.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when the text is no such thing, or the address has bits behind those that count.
    public init(_ text: some StringProtocol) throws(LimiterError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let written = parts.first, let network = NetworkAddress(written) else {
            throw LimiterError(.badRequest, "'\(text)' is no address and no range of addresses such as 10.0.0.0/8 or 2001:db8::/32")
        }
        // An IPv4 address that was written as IPv6 has its 32 bits behind 96 others.
        let hidden = network.family == .v4 && written.contains(":") ? 96 : 0
        let width = hidden + network.family.width
        guard let prefix = parts.count == 1 ? width : AddressRange.length(parts[1]), (hidden...width).contains(prefix) else {
            throw LimiterError(.badRequest, "'\(text)' is no range of addresses; expected \(hidden) to \(width) behind the slash")
        }
        self.network = network
        self.prefix = prefix - hidden
        guard network.first(self.prefix) == network.bits else {
            throw LimiterError(.badRequest, "'\(text)' has bits behind its first \(prefix); expected 0 for them")
        }
    }

    /// Whether an address is one of these.
    public func contains(_ address: NetworkAddress) -> Bool {
        address.family == network.family && address.first(prefix) == network.bits
    }

    private static func length(_ text: some StringProtocol) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }
}

extension AddressRange: CustomStringConvertible {
    /// The range as it can be read again.
    public var description: String { prefix == network.family.width ? "\(network)" : "\(network)/\(prefix)" }
}

extension NetworkAddress {
    /// The address's number with all bits behind the first `count` set to 0.
    func first(_ count: Int) -> UInt128 {
        let rest = family.width - count
        return rest >= 128 ? 0 : (bits >> UInt128(rest)) << UInt128(rest)
    }
}
