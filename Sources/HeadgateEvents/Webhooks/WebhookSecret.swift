internal import Crypto
internal import Foundation
public import Headgate

/// What webhooks are signed with, known to the receiver; no description shows it.
public struct WebhookSecret: Sendable, CustomStringConvertible {
    // A key of Crypto shows nothing of its bytes either, to descriptions, mirrors and dumps.
    private let key: SymmetricKey

    /// Reads a secret: `whsec_` and the key's bytes in base64, as the Standard Webhooks specification has it, or any text.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when it is empty, or not base64 behind `whsec_`.
    public init(_ text: String) throws(LimiterError) {
        let prefix = "whsec_"
        let bytes = text.hasPrefix(prefix) ? Data(base64Encoded: String(text.dropFirst(prefix.count))) : Data(text.utf8)
        guard let bytes, !bytes.isEmpty else {
            throw LimiterError(.badRequest, "the webhook secret is no key; expected whsec_ and base64, or any text that is not empty")
        }
        key = SymmetricKey(data: bytes)
    }

    /// The signature of a message at a time, as it stands in `webhook-signature`.
    func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(id).\(timestamp).".utf8) + body, using: key)
        return "v1,\(Data(code).base64EncodedString())"
    }

    /// That there is a secret, and nothing of it.
    public var description: String { "WebhookSecret(hidden)" }
}
