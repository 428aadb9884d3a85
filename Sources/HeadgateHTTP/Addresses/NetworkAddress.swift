/// An IPv4 or IPv6 address as its bits, so that all spellings of one address are equal.
///
/// An IPv4 address that is written as IPv6 is the IPv4 address: IPv4-mapped (`::ffff:0:0/96`, RFC 4291 2.5.5.2) and NAT64
/// (`64:ff9b::/96`, RFC 6052 2.1). It is told by its bits, whatever its notation.
public struct NetworkAddress: Sendable, Hashable {
    /// The two kinds of addresses.
    public enum Family: Sendable, Hashable {
        /// 32 bits.
        case v4
        /// 128 bits.
        case v6

        /// The number of an address's bits.
        var width: Int { self == .v4 ? 32 : 128 }
    }

    /// The kind of address.
    public let family: Family

    /// The address as one number, the first byte highest.
    let bits: UInt128

    /// Creates an IPv4 address.
    public init(v4 bits: UInt32) {
        family = .v4
        self.bits = UInt128(bits)
    }

    /// Creates an IPv6 address, or the IPv4 address that it stands for.
    public init(v6 bits: UInt128) {
        let embedsV4 = NetworkAddress.v4Networks.contains(bits >> 32)
        family = embedsV4 ? .v4 : .v6
        self.bits = embedsV4 ? bits & 0xffff_ffff : bits
    }

    /// Reads an address as it stands by itself: `192.0.2.1`, `2001:DB8::1`, `fe80::1%eth0`.
    ///
    /// Nothing that two readers could take differently is accepted: no leading zeros, shortened forms or other bases in IPv4. The
    /// zone of an IPv6 address is dropped.
    ///
    /// - Returns: `nil` when the text is no address.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(NetworkAddress.longestText + 1))
        guard bytes.count <= NetworkAddress.longestText else { return nil }
        if let v4 = UInt32(dottedQuad: bytes[...]) {
            self.init(v4: v4)
        } else if let v6 = UInt128(colonHex: bytes[...]) {
            self.init(v6: v6)
        } else {
            return nil
        }
    }

    /// An IPv6 address of 45 bytes, and a zone.
    private static let longestText = 64

    /// The upper 96 bits of addresses whose lower 32 are an IPv4 address.
    static let v4Networks: [UInt128] = [0xffff, 0x64_ff9b << 64]
}

extension NetworkAddress: CustomStringConvertible {
    /// The address in its canonical form (RFC 5952): lower case, no leading zeros, the longest run of zeros as `::`.
    public var description: String {
        switch family {
        case .v4: (0..<4).map { String(bits >> (24 - 8 * $0) & 0xff) }.joined(separator: ".")
        case .v6: NetworkAddress.compressed(bits.groups)
        }
    }

    private static func compressed(_ groups: [UInt16]) -> String {
        var longest = 0..<0
        for start in groups.indices {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.endIndex
            if end - start > max(longest.count, 1) { longest = start..<end }
        }
        func hex(_ groups: ArraySlice<UInt16>) -> String { groups.map { String($0, radix: 16) }.joined(separator: ":") }
        return longest.isEmpty ? hex(groups[...]) : "\(hex(groups[..<longest.lowerBound]))::\(hex(groups[longest.upperBound...]))"
    }
}

extension UInt128 {
    /// The eight groups that IPv6 writes it as.
    var groups: [UInt16] { (0..<8).map { UInt16(truncatingIfNeeded: self >> (112 - 16 * $0)) } }
}
