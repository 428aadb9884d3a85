import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import NIOCore

/// Finds who made a request: by `Authorization: Bearer KEY` or `X-API-Key: KEY`.
struct CallerFinder: Sendable {
    let directory: AccountDirectory
    let authenticator: KeyAuthenticator
    let clients: ClientLocator
    let style: ResponseStyle

    /// Who made a request with these fields.
    ///
    /// - Throws: ``RefusedRequest`` with 401 for no key or an unknown one, 429 for an address that has tried too many, 400 for two
    ///   different keys, and 503 when it cannot be told.
    func caller(_ fields: HTTPFields, peer: SocketAddress?) async throws -> Caller {
        guard let key = try presentedKey(fields) else {
            throw unauthorized("missing_key", "An API key is required: Authorization: Bearer KEY, or X-API-Key: KEY")
        }
        let address = try clients.identity(fields, peer: peer)
        do {
            switch try await authenticator.authenticate(key, from: address) {
            case .key(let key, let account):
                let now = try await directory.time()
                let subject = try account.subject(at: now, permissions: key.permissions, key: key.id, address: address)
                return Caller(key: key, account: account, subject: subject)
            case .unknown:
                throw unauthorized("unknown_key", "The API key is not known")
            case .lockedOut(let wait):
                var fields = HTTPFields()
                fields[.retryAfter] = String(max(1, wait.secondsRoundedUp))
                throw RefusedRequest(
                    style.refusal(
                        .tooManyRequests,
                        code: "too_many_unknown_keys",
                        message: "Too many unknown API keys came from this address",
                        headerFields: fields
                    )
                )
            }
        } catch let error as AccountError {
            throw RefusedRequest(error, style)
        }
    }

    /// Whether a request brings a key.
    func hasKey(_ fields: HTTPFields) -> Bool { fields[.xAPIKey] != nil || bearer(fields) != nil }

    private func presentedKey(_ fields: HTTPFields) throws -> String? {
        let keys = fields[values: .xAPIKey] + (fields[values: .authorization].count > 1 ? ["", "-"] : bearer(fields).map { [$0] } ?? [])
        guard let key = keys.first else { return nil }
        guard keys.allSatisfy({ $0 == key }) else {
            throw RefusedRequest(
                style.refusal(.badRequest, code: "bad_request", message: "The request brings two different API keys; expected one")
            )
        }
        return key
    }

    /// The token of `Authorization: Bearer`; other schemes are the service's own.
    private func bearer(_ fields: HTTPFields) -> String? {
        guard let value = fields[.authorization] else { return nil }
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1].drop { $0 == " " })
    }

    private func unauthorized(_ code: String, _ message: String) -> RefusedRequest {
        var fields = HTTPFields()
        fields[.wwwAuthenticate] = #"Bearer realm="api""#
        return RefusedRequest(style.refusal(.unauthorized, code: code, message: message, headerFields: fields))
    }
}

extension HTTPField.Name {
    // The literal is a token (RFC 9110 5.6.2), so the initialiser does not return nil.
    // swift-format-ignore: NeverForceUnwrap
    static let xAPIKey = Self("X-API-Key")!
}
