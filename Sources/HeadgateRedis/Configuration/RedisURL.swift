public import Headgate

extension RedisConfiguration {
    /// Reads `redis://[user:password@]host[:port][/database]` or `unix:///path[?db=database]`; all else takes its default.
    ///
    /// User and password are percent-decoded. No error repeats any part of the URL but its scheme.
    /// - Throws: ``LimiterError/Code/badRequest`` with what was expected.
    public init(url: String) throws(LimiterError) {
        let scheme = url.firstRange(of: "://").map { url[..<$0.lowerBound] } ?? ""
        let rest = url.dropFirst(scheme.count + "://".count)
        switch scheme {
        case "redis":
            try self.init(tcp: rest)
        case "unix":
            try self.init(unix: rest)
        case "rediss", "redis-sentinel", "redis-cluster":
            throw LimiterError(.badRequest, "\(scheme):// is not supported yet; expected redis:// or unix://")
        default:
            throw LimiterError(.badRequest, "a Redis URL has an unknown scheme; expected redis:// or unix://")
        }
        try validate()
    }

    private init(tcp text: Substring) throws(LimiterError) {
        self.init()
        guard !text.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw LimiterError(.badRequest, "a redis:// URL has no query or fragment; a '?' or '#' in a password is written %3F or %23")
        }
        let (authority, path) = text.cut(atFirst: "/")
        var address = authority
        // The last '@' ends the user and password, as in other clients; neither may hold a bare '@' by the standard.
        if let at = authority.lastIndex(of: "@") {
            credentials = try Self.credentials(authority[..<at])
            address = authority[authority.index(after: at)...]
        }
        endpoint = try Self.host(address)
        if let path, !path.isEmpty { database = try Self.number(path, "a database") }
    }

    private init(unix text: Substring) throws(LimiterError) {
        self.init()
        let (path, query) = text.cut(atFirst: "?")
        guard path.hasPrefix("/") else { throw LimiterError(.badRequest, "a unix:// URL has no absolute path; expected unix:///path") }
        endpoint = .unixSocket(path: try Self.percentDecoded(path))
        if let query {
            guard query.hasPrefix("db=") else { throw LimiterError(.badRequest, "a unix:// URL has an unknown query; expected ?db=0") }
            database = try Self.number(query.dropFirst("db=".count), "a database")
        }
    }

    private static func credentials(_ text: Substring) throws(LimiterError) -> RedisCredentials? {
        let (user, password) = text.cut(atFirst: ":")
        guard let password else {
            throw LimiterError(.badRequest, "a Redis URL has a user without a password; expected user:password@ or :password@")
        }
        let name = try percentDecoded(user)
        return RedisCredentials(user: name.isEmpty ? nil : name, password: try percentDecoded(password))
    }

    private static func host(_ text: Substring) throws(LimiterError) -> RedisEndpoint {
        var name = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw LimiterError(.badRequest, "a Redis URL has '[' without ']'") }
            name = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw LimiterError(.badRequest, "a Redis URL has text behind ']'") }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            (name, port) = text.cut(atFirst: ":")
        }
        guard !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw LimiterError(.badRequest, "a Redis URL has no host")
        }
        guard let port else { return .host(String(name), port: RedisEndpoint.defaultPort) }
        return .host(String(name), port: try number(port, "a port"))
    }

    private static func number(_ text: Substring, _ what: String) throws(LimiterError) -> Int {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
            throw LimiterError(.badRequest, "a Redis URL has \(what) that is no whole number")
        }
        return number
    }

    private static func percentDecoded(_ text: Substring) throws(LimiterError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigit, let low = rest.popFirst()?.hexDigit else {
                throw LimiterError(.badRequest, "a Redis URL has a '%' without two hex digits")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw LimiterError(.badRequest, "a Redis URL has escapes that are no UTF-8")
        }
        return decoded
    }
}

extension Substring {
    /// What stands before the first such character, and behind it when there is one.
    fileprivate func cut(atFirst character: Character) -> (Substring, Substring?) {
        guard let index = firstIndex(of: character) else { return (self, nil) }
        return (self[..<index], self[self.index(after: index)...])
    }
}

extension UInt8 {
    fileprivate var hexDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
