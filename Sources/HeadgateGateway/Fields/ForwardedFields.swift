import HTTPTypes
import HeadgateHTTP

extension HTTPRequest {
    /// The fields that a request has for the upstream, without those that tell its length.
    ///
    /// A peer that is believed has its `X-Forwarded-*` extended; any other has them replaced by what is known of it here.
    func forwardedFields(from peer: NetworkAddress?, trust: ProxyTrust) -> HTTPFields {
        let isBelieved = peer.map(trust.trusts) ?? false
        var fields = headerFields.endToEnd.filter { field in
            let name = field.name.canonicalName
            return !name.hasPrefix("x-headgate-") && !HTTPRequest.ownFields.contains(name)
                && (isBelieved || !HTTPRequest.tellsTheClient(name))
        }
        if let peer {
            let others = fields[values: .xForwardedFor].filter { !$0.isEmpty }
            fields[.xForwardedFor] = (others + [peer.description]).joined(separator: ", ")
            if fields.contains(.forwarded) {
                let node = peer.family == .v4 ? "\(peer)" : "\"[\(peer)]\""
                fields.append(HTTPField(name: .forwarded, value: "for=\(node)"))
            }
        }
        if !fields.contains(.xForwardedProto) { fields[.xForwardedProto] = scheme ?? "http" }
        if !fields.contains(.xForwardedHost) { fields[.xForwardedHost] = authority }
        if headerFields.lists("trailers", in: .te) {
            fields[.te] = "trailers"
            fields[.connection] = "TE"
        }
        return fields
    }

    /// Fields that this process answers for itself: it asks for the body, frames it, and drops its trailers.
    private static let ownFields: Set<String> = ["expect", "content-length", "trailer", "host"]

    private static func tellsTheClient(_ name: String) -> Bool {
        name.hasPrefix("x-forwarded-") || name == "forwarded" || name == "x-real-ip"
    }

    /// Whether another protocol or a tunnel is asked for; an offer of HTTP/2 (RFC 7540 3.2) is none, since it can be left unanswered.
    var wantsUpgrade: Bool {
        method == .connect
            || (headerFields.lists("upgrade", in: .connection) && headerFields.contains(.upgrade)
                && !headerFields.lists("h2c", in: .upgrade))
    }
}

// The literals are tokens (RFC 9110 5.6.2), so none of the initialisers returns nil.
// swift-format-ignore: NeverForceUnwrap
extension HTTPField.Name {
    static let xForwardedProto = Self("X-Forwarded-Proto")!
    static let xForwardedHost = Self("X-Forwarded-Host")!
}
