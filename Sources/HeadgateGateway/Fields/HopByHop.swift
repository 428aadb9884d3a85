import HTTPTypes

extension HTTPFields {
    /// The fields that are meant for more than the next hop (RFC 9110 7.6.1).
    ///
    /// What `Connection` names is dropped with it, but not the fields that tell the client: else a client could hide itself behind
    /// a proxy that it comes through.
    var endToEnd: HTTPFields {
        let named = Set(self[values: .connection].flatMap { $0.split(separator: ",") }.map { $0.trimmingBlanks().lowercased() })
        return filter { field in
            let name = field.name.canonicalName
            return !HTTPFields.hopByHop.contains(name) && (!named.contains(name) || HTTPFields.isProtected(name))
        }
    }

    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings",
    ]

    private static func isProtected(_ name: String) -> Bool {
        name.hasPrefix("x-forwarded-") || ["forwarded", "x-real-ip", "host", "content-length"].contains(name)
    }

    /// Whether a list field has an element, in any case of letters.
    func lists(_ element: String, in name: HTTPField.Name) -> Bool {
        self[values: name].flatMap { $0.split(separator: ",") }.contains { $0.trimmingBlanks().lowercased() == element }
    }
}

extension Substring {
    /// The text without blanks and tabs at its ends.
    fileprivate func trimmingBlanks() -> Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let start = drop(while: isBlank)
        return start.lastIndex { !isBlank($0) }.map { start[...$0] } ?? ""
    }
}
