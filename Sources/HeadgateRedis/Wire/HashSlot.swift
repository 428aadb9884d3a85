/// A cluster's slot of a key: CRC-16 (XMODEM) of the key's hash tag, or of the whole key where there is none.
///
/// Source: the Redis Cluster specification, "Key distribution model" and "Hash tags".
enum HashSlot {
    /// How many slots a cluster has.
    static let count = 16_384

    /// The slot of a key.
    static func of(_ key: some Collection<UInt8>) -> Int {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")) else { return crc16(key) % count }
        let tag = key[key.index(after: open)...]
        guard let close = tag.firstIndex(of: UInt8(ascii: "}")), close != tag.startIndex else { return crc16(key) % count }
        return crc16(tag[..<close]) % count
    }

    /// The slot of a key.
    static func of(_ key: String) -> Int { of(key.utf8) }

    private static func crc16(_ bytes: some Sequence<UInt8>) -> Int {
        var crc: UInt16 = 0
        for byte in bytes { crc = crc << 8 ^ table[Int(UInt8(crc >> 8) ^ byte)] }
        return Int(crc)
    }

    private static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index) << 8
        for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        return crc
    }
}
