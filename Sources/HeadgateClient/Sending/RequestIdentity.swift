internal import AsyncHTTPClient
internal import Crypto
internal import Foundation
internal import NIOHTTP1

/// Which limits a request falls under, as far as it can be told from the request.
enum RequestIdentity {
    /// Fields that hold API keys.
    private static let credentials = ["authorization", "x-api-key", "api-key"]
    /// Fields by which an answer may be one person's own.
    static let personal = credentials + ["cookie"]

    /// Scheme, host and port, with a digest of the credentials.
    static func key(of request: HTTPClientRequest) -> String {
        let parts = URLComponents(string: request.url)
        let origin = "\(parts?.scheme?.lowercased() ?? "")://\(parts?.host?.lowercased() ?? ""):\(parts?.port ?? 0)"
        return "\(origin) \(digest(of: request))"
    }

    /// A digest of some fields; empty without any.
    static func digest(of request: HTTPClientRequest, _ names: [String] = credentials) -> String {
        let values = names.flatMap { name in request.headers[name].map { "\(name): \($0)" } }
        guard !values.isEmpty else { return "" }
        return SHA256.hash(data: Data(values.joined(separator: "\n").utf8)).prefix(16).map { String($0, radix: 16) }.joined(separator: ".")
    }

    /// The method and the path's shape.
    static func route(of request: HTTPClientRequest) -> String {
        let path = URLComponents(string: request.url)?.path ?? ""
        let segments = path.split(separator: "/").prefix(8).map { isID($0) ? "*" : String($0) }
        return "\(request.method.rawValue) /\(segments.joined(separator: "/"))"
    }

    /// Whether a segment names one thing of many: it has a digit, and is no version such as `v2`; or it is long.
    private static func isID(_ segment: Substring) -> Bool {
        if segment.utf8.count > 32 { return true }
        guard segment.contains(where: \.isNumber) else { return false }
        return !(segment.first == "v" && segment.dropFirst().allSatisfy { $0.isNumber || $0 == "." })
    }
}
