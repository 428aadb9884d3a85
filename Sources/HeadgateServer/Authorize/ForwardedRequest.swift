import HTTPTypes
import Headgate
import Hummingbird

/// A request that a proxy describes in header fields, and asks whether it may go on.
struct ForwardedRequest {
    /// On whose behalf, when the proxy says it.
    let subject: Subject?

    /// For what.
    let endpoint: Endpoint

    /// Reads the fields.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` naming the field.
    init(_ fields: HTTPFields) throws(LimiterError) {
        let permissions = try fields.single(.headgatePermissions) ?? ""
        let tier = try fields.single(.headgateTier)
        if let account = try fields.single(.headgateAccount) {
            subject = Subject(
                try Identity(.account, account),
                tier: tier,
                permissions: Set(permissions.split(separator: ",").map { String($0.trimmingBlanks()) }.filter { !$0.isEmpty })
            )
        } else {
            subject = nil
        }
        let method = try ForwardedRequest.either(.forwardedMethod, .originalMethod, in: fields)
        let uri = try ForwardedRequest.either(.forwardedURI, .originalURI, in: fields)
        endpoint = Endpoint(method: method, path: uri)
        _ = try fields.single(.xPriority)
    }

    /// The value of the one field or the other.
    ///
    /// A proxy sets one family and passes the client's own fields on, so both with different values is a client that tries to be
    /// counted as another request.
    private static func either(_ first: HTTPField.Name, _ second: HTTPField.Name, in fields: HTTPFields) throws(LimiterError) -> String {
        let values = (try fields.single(first), try fields.single(second))
        guard let value = values.0 ?? values.1 else {
            throw LimiterError(.badRequest, "\(first) is missing; expected it or \(second) from the proxy")
        }
        guard values.0 == nil || values.1 == nil || values.0 == values.1 else {
            throw LimiterError(.badRequest, "\(first) and \(second) differ; expected one of them")
        }
        return value
    }
}

extension HTTPFields {
    /// The value of a field that may stand once; `nil` when it is missing or empty.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when it stands twice, or was no UTF-8 and came with replacement characters.
    func single(_ name: HTTPField.Name) throws(LimiterError) -> String? {
        let values = self[values: name]
        guard values.count <= 1 else { throw LimiterError(.badRequest, "\(name) stands \(values.count) times; expected it once") }
        guard let value = values.first, !value.isEmpty else { return nil }
        guard !value.unicodeScalars.contains("\u{FFFD}") else { throw LimiterError(.badRequest, "\(name) is not valid UTF-8") }
        return value
    }
}

// The literals are tokens (RFC 9110 5.6.2), so none of the initialisers returns nil.
// swift-format-ignore: NeverForceUnwrap
extension HTTPField.Name {
    static let headgateAccount = Self("X-Headgate-Account")!
    static let headgateTier = Self("X-Headgate-Tier")!
    static let headgatePermissions = Self("X-Headgate-Permissions")!
    static let headgateStatus = Self("X-Headgate-Status")!
    static let xPriority = Self("X-Priority")!
    static let forwardedMethod = Self("X-Forwarded-Method")!
    static let forwardedURI = Self("X-Forwarded-Uri")!
    static let originalMethod = Self("X-Original-Method")!
    static let originalURI = Self("X-Original-URI")!
}

extension StringProtocol {
    /// The text without blanks and tabs at its ends.
    fileprivate func trimmingBlanks() -> SubSequence {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let start = drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return start }
        return start[...last]
    }
}
