public import Headgate
import HeadgateHTTP

extension Upstream {
    /// Reads `http://HOST[:PORT][/PREFIX]`, or the same with `https`.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` naming what is wrong.
    public init(_ text: String) throws(LimiterError) {
        func wrong(_ reason: String) -> LimiterError {
            LimiterError(.badRequest, "'\(text)' is no upstream: \(reason); expected http://HOST:PORT or https://HOST:PORT")
        }
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ["http", "https"].contains(parts[0].lowercased()) else { throw wrong("it has another scheme, or none") }
        let authority = parts[1].prefix { !"/?#".contains($0) }
        let path = parts[1].dropFirst(authority.count)
        guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !path.contains("?"), !path.contains("#") else {
            throw wrong("behind the port it has more than a path")
        }
        guard !authority.contains("@") else { throw wrong("it carries credentials") }
        guard let (host, digits) = Upstream.split(authority) else { throw wrong("the host is no name and no address") }
        let scheme = parts[0].lowercased()
        let port = digits.map { UInt16($0) ?? 0 } ?? (scheme == "https" ? 443 : 80)
        guard port > 0 else { throw wrong("the port is none of 1 to 65535") }
        let prefix = path.reversed().drop { $0 == "/" }.reversed()
        self.init(scheme: scheme, host: host, port: Int(port), pathPrefix: String(prefix))
    }

    /// The host and what stands behind its colon.
    private static func split(_ authority: Substring) -> (host: String, port: Substring?)? {
        let isBracketed = authority.first == "["
        let end = isBracketed ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : authority.firstIndex(of: ":")
        let host = authority[..<(end ?? authority.endIndex)]
        let rest = authority[(end ?? authority.endIndex)...]
        guard rest.isEmpty || rest.first == ":", !isBracketed || end != nil else { return nil }
        let port = rest.isEmpty ? nil : rest.dropFirst()
        guard isBracketed else { return isName(host) ? (String(host), port) : nil }
        let address = host.dropFirst().dropLast()
        return address.contains(":") && NetworkAddress(address) != nil ? (String(address), port) : nil
    }

    private static func isName(_ host: Substring) -> Bool {
        (1...253).contains(host.utf8.count)
            && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_") }
    }
}
