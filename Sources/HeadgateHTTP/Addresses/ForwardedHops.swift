package import HTTPTypes

/// The way that a request took, from the nearest proxy to the client; `nil` is a stop that cannot be read.
///
/// At most 64 stops and 8 KiB are read, from the right.
struct ForwardedHops: Sequence, IteratorProtocol {
    private var elements: ListElements
    private let isStandard: Bool
    private var rest = ProxyTrust.mostHops

    init(_ fields: HTTPFields) {
        // An empty X-Forwarded-For counts as one: whoever removes the field's value does not switch to the other field.
        isStandard = !fields.contains(.xForwardedFor)
        elements = ListElements(fields[values: isStandard ? .forwarded : .xForwardedFor])
    }

    mutating func next() -> NetworkAddress?? {
        while rest > 0, let element = elements.next() {
            rest -= 1
            if element.isEmpty { continue }
            return .some(isStandard ? NetworkAddress(forwardedElement: element) : NetworkAddress(node: element))
        }
        return nil
    }
}

/// The elements of a list field (RFC 9110 5.6.1) from right to left, so that nothing on the left can change the reading of the right.
private struct ListElements {
    private var lines: [String]
    private var line: ArraySlice<UInt8> = []
    private var rest = 8_192

    init(_ lines: [String]) { self.lines = lines }

    mutating func next() -> Substring? {
        if line.isEmpty {
            guard let last = lines.popLast() else { return nil }
            line = Array(last.utf8)[...]
        }
        let comma = line.lastUnquoted(UInt8(ascii: ","))
        let element = line[(comma.map { $0 + 1 } ?? line.startIndex)...]
        line = line[..<(comma ?? line.startIndex)]
        rest -= element.count + 1
        guard rest >= 0 else {
            lines = []
            line = []
            return nil
        }
        return String(decoding: element, as: UTF8.self)[...].trimmingBlanks()
    }
}

extension ArraySlice<UInt8> {
    /// The last place of a byte that is not within a quoted string (RFC 9110 5.6.4).
    func lastUnquoted(_ wanted: UInt8) -> Index? {
        var isQuoted = false
        for index in indices.reversed() {
            if self[index] == UInt8(ascii: "\"") {
                let slashes = self[..<index].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
                if slashes.isMultiple(of: 2) { isQuoted.toggle() }
            } else if self[index] == wanted, !isQuoted {
                return index
            }
        }
        return nil
    }
}

extension StringProtocol {
    /// The text without blanks and tabs at its ends.
    func trimmingBlanks() -> SubSequence {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let start = drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return start }
        return start[...last]
    }
}

// The literals are tokens (RFC 9110 5.6.2), so neither initialiser returns nil.
// swift-format-ignore: NeverForceUnwrap
extension HTTPField.Name {
    /// The addresses that a request came through, the client's first.
    package static let xForwardedFor = Self("X-Forwarded-For")!
    /// The same with more of each hop (RFC 7239).
    package static let forwarded = Self("Forwarded")!
}
