/// A host and a port to listen on.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address.
    public var host: String

    /// A TCP port; 0 takes a free one.
    public var port: Int

    /// Creates an address.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, where an IPv6 address stands in brackets: `[::1]:8080`.
    ///
    /// - Throws: ``ConfigurationError`` when the text is no such thing.
    public init(_ text: String) throws(ConfigurationError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port) else {
            throw ConfigurationError("'\(text)' is no address to listen on; expected HOST:PORT such as 127.0.0.1:8080")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw ConfigurationError("'\(text)' is no address to listen on; an IPv6 address stands in brackets: [::1]:8080")
        }
        self.init(host: host.isEmpty ? "0.0.0.0" : String(host), port: port)
    }

    /// What a request names in its Host field, whose port may be missing.
    init(authority: String) {
        let host = authority.hasPrefix("[") ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        self.init(host: host.lowercased(), port: 0)
    }

    /// `HOST:PORT`.
    public var description: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// Whether only processes of this machine can reach it.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }
}
