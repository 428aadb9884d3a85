internal import Headgate
internal import HeadgatePolicy

/// Reads a policy's definition out of a tree.
///
/// What cannot be read is reported and left at its default.
struct PolicyReader {
    var fields: FieldReader
    private let root: Field

    init(_ document: YAMLDocument) {
        fields = FieldReader(document)
        root = Field(node: document.root, path: .root)
    }

    private static let known = [
        "name", "base_path", "case_sensitive", "algorithm", "on_redis_failure", "responses", "classes", "tiers", "default_tier",
        "endpoints", "limits", "refund_on", "permissions", "priorities", "boosts", "events",
    ]

    /// What the file says.
    mutating func read() -> PolicyDefinition {
        let known = fields.fields(root, Self.known)
        var policy = PolicyDefinition(name: "")
        if let field = known["name"] { policy.name = fields.string(field) ?? "" }
        if let field = known["base_path"] { policy.basePath = fields.string(field) ?? policy.basePath }
        if let field = known["case_sensitive"] { policy.caseSensitive = fields.bool(field) ?? policy.caseSensitive }
        if let field = known["algorithm"] { policy.algorithm = fields.choice(field) ?? policy.algorithm }
        if let field = known["on_redis_failure"] { policy.onRedisFailure = fields.choice(field) ?? policy.onRedisFailure }
        if let field = known["responses"] { policy.responses = responses(field) }
        if let field = known["classes"] { policy.classes = entries(field) { $0.operationClass($1, $2) } }
        if let field = known["tiers"] { policy.tiers = entries(field) { $0.tier($1, $2) } }
        if let field = known["default_tier"] { policy.defaultTier = fields.string(field) }
        if let field = known["endpoints"] { policy.endpoints = (fields.items(field) ?? []).compactMap { endpoint($0) } }
        if let field = known["limits"] { policy.limits = limitRules(field) }
        if let field = known["refund_on"] { policy.refundOn = statuses(field) }
        if let field = known["permissions"] { policy.permissions = entries(field) { $0.permission($1, $2) } }
        if let field = known["priorities"] { policy.priorities = entries(field) { $0.priority($1, $2) } }
        if let field = known["boosts"] { policy.boosts = boosts(field) }
        if let field = known["events"] { policy.events = events(field) }
        return policy
    }

    mutating func entries<Value>(_ field: Field, _ read: (inout PolicyReader, String, Field) -> Value) -> [Value] {
        (fields.entries(field) ?? []).map { read(&self, $0.key, $0.field) }
    }

    private mutating func responses(_ field: Field) -> ResponseOptions {
        let known = fields.fields(field, ["headers", "window_header", "error_body"])
        var responses = ResponseOptions()
        if let field = known["headers"] { responses.headers = (fields.items(field) ?? []).compactMap { fields.choice($0) } }
        if let field = known["window_header"] { responses.windowHeader = fields.bool(field) ?? responses.windowHeader }
        if let field = known["error_body"] { responses.errorBody = fields.choice(field) ?? responses.errorBody }
        return responses
    }
}
