import HTTPTypes

extension Upstream {
    /// The target that a request is written with: what the client sent, behind the prefix.
    ///
    /// - Throws: ``GatewayError/Code/invalidTarget`` when it is no path, or would leave the prefix.
    func target(of request: HTTPRequest) throws(GatewayError) -> String {
        // A fragment is no part of a target (RFC 9112 3.2); whoever counted the request has left it out as well.
        let target = (request.path ?? "").prefix { $0 != "#" }
        if request.method == .options, target == "*" { return "*" }
        guard target.first == "/", pathPrefix.isEmpty || !Upstream.climbs(target) else { throw GatewayError(.invalidTarget) }
        return pathPrefix + target
    }

    /// Whether a path has a segment `..` in any of its spellings.
    private static func climbs(_ target: Substring) -> Bool {
        target.prefix { $0 != "?" }.split { $0 == "/" || $0 == "\\" }.contains { segment in
            segment.lowercased().replacing("%2e", with: ".").prefix { $0 != ";" } == ".."
        }
    }
}
