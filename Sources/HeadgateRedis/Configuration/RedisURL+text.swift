internal import Headgate

extension RedisURL {
    /// The options behind a `?`.
    static func options(_ query: Substring?, of kind: Kind) throws(LimiterError) -> [RedisURLOption: String] {
        var options: [RedisURLOption: String] = [:]
        for pair in query?.split(separator: "&") ?? [] {
            let (name, value) = pair.cut(atFirst: "=")
            guard let option = RedisURLOption(rawValue: String(name)), let value else {
                let known = RedisURLOption.allCases.map(\.rawValue).joined(separator: ", ")
                throw LimiterError(.badRequest, "a Redis URL has an unknown option; expected name=value with one of \(known)")
            }
            guard options[option] == nil else { throw LimiterError(.badRequest, "a Redis URL has the option \(option.rawValue) twice") }
            options[option] = try percentDecoded(value)
        }
        return options
    }

    /// A host with its port.
    static func endpoint(_ text: Substring, defaultPort: Int) throws(LimiterError) -> RedisEndpoint {
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
        guard let port else { return .host(String(name), port: defaultPort) }
        return .host(String(name), port: try number(port, "a port"))
    }

    /// A whole number.
    static func number(_ text: Substring, _ what: String) throws(LimiterError) -> Int {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
            throw LimiterError(.badRequest, "a Redis URL has \(what) that is no whole number")
        }
        return number
    }

    /// `true` or `false`; what is not there is false.
    static func flag(_ text: String?) throws(LimiterError) -> Bool {
        switch text {
        case "true": return true
        case "false", nil: return false
        default: throw LimiterError(.badRequest, "a Redis URL has a switch that is neither true nor false")
        }
    }

    /// The text that percent escapes stand for.
    static func percentDecoded(_ text: Substring) throws(LimiterError) -> String {
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
    func cut(atFirst character: Character) -> (Substring, Substring?) {
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
