// The two grammars of RFC 3986 3.2.2, `IPv4address` and `IPv6address`, and a zone (RFC 4007 11.2).

extension UInt32 {
    /// Reads four decimal numbers without leading zeros, or nil.
    init?(dottedQuad text: ArraySlice<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        self = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                let number = part.number(radix: 10), number <= 255
            else { return nil }
            self = self << 8 | number
        }
    }
}

extension UInt128 {
    /// Reads eight groups of hexadecimal digits, of which one run of zeros may be `::` and the last two a dotted quad, or nil.
    init?(colonHex text: ArraySlice<UInt8>) {
        let zone = text.firstIndex(of: UInt8(ascii: "%"))
        guard zone != text.index(before: text.endIndex) else { return nil }
        let text = text[..<(zone ?? text.endIndex)]
        guard let gap = text.indices.dropLast().first(where: { text[$0...].starts(with: "::".utf8) }) else {
            guard let groups = text.groups, groups.count == 8 else { return nil }
            self.init(groups)
            return
        }
        guard !text[..<gap].contains(UInt8(ascii: ".")), let head = text[..<gap].groups, let tail = text[(gap + 2)...].groups,
            head.count + tail.count < 8
        else { return nil }
        self.init(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    private init(_ groups: [UInt16]) { self = groups.reduce(0) { $0 << 16 | UInt128($1) } }
}

extension ArraySlice<UInt8> {
    /// The groups between colons, of which the last may be a dotted quad; nil when one is wrong.
    fileprivate var groups: [UInt16]? {
        guard !isEmpty else { return [] }
        let parts = split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if (1...4).contains(part.count), let group = part.number(radix: 16) {
                groups.append(UInt16(group))
            } else if index == parts.count - 1, let quad = UInt32(dottedQuad: part) {
                groups += [UInt16(quad >> 16), UInt16(quad & 0xffff)]
            } else {
                return nil
            }
        }
        return groups
    }

    /// The number that up to eight digits are; nil when one is no digit.
    fileprivate func number(radix: UInt32) -> UInt32? {
        var number: UInt32 = 0
        for byte in self {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80, digit < radix else { return nil }
            number = number * radix + UInt32(digit)
        }
        return number
    }
}
