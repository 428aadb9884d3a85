/// The directives of a `Cache-Control` field that matter to a cache of one's own (RFC 9111 5.2).
struct CacheControl: Sendable, Hashable {
    /// The answer must not be remembered.
    private(set) var noStore = false
    /// The answer must be asked about before it is used.
    private(set) var noCache = false
    /// How long the answer is good for.
    private(set) var maxAge: Duration?

    /// Reads a field; what is malformed in it counts as absent, and an age that is none as no time at all (RFC 9111 4.2.1).
    init(_ text: String) {
        for directive in text.lowercased().split(separator: ",") {
            let parts = directive.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" } }
            switch parts.first {
            case "no-store": noStore = true
            case "no-cache": noCache = true
            case "max-age": maxAge = FieldText.count(parts.count > 1 ? parts[1] : "").flatMap { FieldText.seconds(Double($0)) } ?? .zero
            default: break
            }
        }
    }
}
