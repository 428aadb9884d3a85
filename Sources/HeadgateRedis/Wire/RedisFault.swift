internal import Headgate

/// An error line of Redis: its kind, told by its text, and the text made fit for logs.
package struct RedisFault: Sendable, Hashable {
    /// What a line says.
    package enum Kind: Sendable, Hashable, CaseIterable {
        case noScript
        case moved, ask, tryAgain, clusterDown, crossSlot
        case masterDown, loading, readOnly, busy
        case noAuthentication, wrongPassword, noPermission
        case noReplicas, misconfigured, outOfMemory, maxClients
        case wrongType, script, other
    }

    /// What the line says.
    package let kind: Kind

    /// The line, escaped and cut.
    package let text: String

    /// Whether the error came out of a running script that may have written before.
    let isInsideScript: Bool

    init(_ kind: Kind, text: String, isInsideScript: Bool = false) {
        self.kind = kind
        self.text = text
        self.isInsideScript = isInsideScript
    }
}

extension RedisFault {
    /// What is known of the call that was answered so: the retry rule of this product, in one place.
    ///
    /// `.notCharged` means that Redis certainly did not run it. What a script wrote before it failed stays written.
    var charge: LimiterError.ChargeCertainty {
        switch kind {
        case .noScript, .moved, .ask, .tryAgain, .clusterDown, .masterDown, .loading, .readOnly, .busy, .noAuthentication,
            .wrongPassword, .noReplicas, .misconfigured, .outOfMemory, .maxClients:
            .notCharged
        case .crossSlot, .noPermission:
            isInsideScript ? .unknown : .notCharged
        case .wrongType, .script, .other:
            .unknown
        }
    }

    /// What the connection does about it.
    enum Consequence: Sendable, Hashable {
        /// The script is loaded, and the call is sent again.
        case loadScript
        /// The connection leads to a server that cannot serve us: the call is sent again on the next one.
        case leaveConnection
        /// Another node of the cluster is to be asked, or this one again: whoever knows the cluster decides.
        case redirect
        /// The caller is told.
        case report
    }

    /// What the connection does about it.
    var consequence: Consequence {
        switch kind {
        case .noScript:
            .loadScript
        case .masterDown, .readOnly, .noAuthentication, .wrongPassword, .maxClients:
            .leaveConnection
        case .moved, .ask, .tryAgain, .clusterDown:
            .redirect
        case .crossSlot, .loading, .busy, .noPermission, .noReplicas, .misconfigured, .outOfMemory, .wrongType, .script, .other:
            .report
        }
    }

    /// The code under which a caller of our script sees it.
    var code: LimiterError.Code {
        switch kind {
        case .moved, .ask, .tryAgain, .clusterDown: .clusterDown
        case .crossSlot: .crossSlot
        case .masterDown: .masterDown
        case .loading: .loading
        case .readOnly: .readOnly
        case .busy: .busy
        case .noAuthentication, .wrongPassword: .authentication
        case .noPermission: .permission
        case .noReplicas: .noReplicas
        case .misconfigured: .misconfigured
        case .outOfMemory: .outOfMemory
        case .maxClients: .maxClients
        case .noScript, .wrongType, .script, .other: .script
        }
    }

    /// What a caller of our script is told.
    var scriptError: LimiterError { LimiterError(code, "Redis says: \(text)", charge: charge) }

    /// What is said when the server refuses the connection as such.
    var refusal: LimiterError { LimiterError(code, "Redis refuses the connection: \(text)") }

    /// What a caller of another command is told: there it is the command that is wrong.
    var commandError: LimiterError {
        switch kind {
        case .noScript, .wrongType, .script, .other: LimiterError(.badRequest, "Redis says: \(text)")
        case .moved, .ask, .tryAgain, .clusterDown, .crossSlot, .masterDown, .loading, .readOnly, .busy, .noAuthentication,
            .wrongPassword, .noPermission, .noReplicas, .misconfigured, .outOfMemory, .maxClients:
            scriptError
        }
    }
}

extension RedisFault {
    /// The longest text of Redis that is kept, in bytes.
    static let longestText = 256

    /// A peer's bytes as printable ASCII of at most 256 bytes; what is not printable is escaped.
    static func printable(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            let part = escaped(byte)
            guard text.count + part.count <= longestText - 3 else {
                text.append(contentsOf: "...".utf8)
                break
            }
            text.append(contentsOf: part)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "\\"): return Array("\\\\".utf8)
        case 0x20...0x7E: return [byte]
        default:
            let digits = Array("0123456789abcdef".utf8)
            return [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
