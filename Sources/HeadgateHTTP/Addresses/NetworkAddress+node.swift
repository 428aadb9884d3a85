// How proxies write an address: `node` of RFC 7239 6, and what X-Forwarded-For holds in practice.

extension NetworkAddress {
    /// Reads `address`, `address:port` or `[address]:port`, where only an IPv4 address has its port without brackets.
    init?(node: some StringProtocol) {
        var node = Substring(node)
        if node.first == "[" {
            guard let end = node.firstIndex(of: "]"), NetworkAddress.isPort(node[end...].dropFirst()) else { return nil }
            node = node[..<end].dropFirst()
            guard node.contains(":") else { return nil }
        } else if let colon = node.firstIndex(of: ":"), node.lastIndex(of: ":") == colon {
            guard NetworkAddress.isPort(node[colon...]) else { return nil }
            node = node[..<colon]
        }
        self.init(node)
    }

    /// Reads the one `for` of an element such as `for="[2001:db8::1]:4711";proto=http` (RFC 7239 4).
    init?(forwardedElement element: Substring) {
        var rest = Array(element.utf8)[...]
        var nodes: [String] = []
        while !rest.isEmpty {
            let semicolon = rest.lastUnquoted(UInt8(ascii: ";"))
            let pair = String(decoding: rest[(semicolon.map { $0 + 1 } ?? rest.startIndex)...], as: UTF8.self)[...].trimmingBlanks()
            rest = rest[..<(semicolon ?? rest.startIndex)]
            if pair.isEmpty { continue }
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            guard pair[..<equals].lowercased() == "for" else { continue }
            nodes.append(NetworkAddress.unquoted(pair[equals...].dropFirst()))
        }
        guard nodes.count == 1 else { return nil }
        self.init(node: nodes[0])
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.first == ":" else { return text.isEmpty }
        let digits = text.dropFirst().utf8
        return (1...5).contains(digits.count) && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func unquoted(_ value: Substring) -> String {
        guard value.utf8.count >= 2, value.first == "\"", value.last == "\"" else { return String(value) }
        var text = ""
        var isEscaped = false
        for character in value.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                text.append(character)
                isEscaped = false
            }
        }
        return text
    }
}
