import HeadgateJSON
import Headgate
import HeadgateHTTP
import HeadgatePolicy

extension Subject {
    /// Reads `{"account":"a1","tier":"pro","permissions":["read-only"],"overrides":{"read":"500/hour"}}`.
    ///
    /// `key` and `address` are those of the request, for limits that are counted by them.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` naming the field.
    init(json: JSONFields) throws(LimiterError) {
        var fields = json
        let account = try fields.requiredString("account")
        let identity = try Subject.identity(.account, account, at: fields.path(of: "account"))
        var permissions: Set<String> = []
        for (index, value) in (try fields.array("permissions") ?? []).enumerated() {
            guard case .string(let name) = value else { throw fields.mismatch("permissions[\(index)]", value, "a string") }
            permissions.insert(name)
        }
        let tier = try fields.string("tier")
        let overrides = try fields.object("overrides")
        let key = try fields.string("key")
        if let key { _ = try Subject.identity(.key, key, at: fields.path(of: "key")) }
        let address = try fields.string("address")
        let place = fields.path(of: "address")
        try fields.finish(expecting: "account, tier, permissions, overrides, key, address")
        self.init(
            identity,
            tier: tier,
            permissions: permissions,
            overrides: try overrides.map(Subject.overrides) ?? [:],
            key: key,
            address: try address.map { (text) throws(LimiterError) in
                guard let address = NetworkAddress(text) else {
                    throw LimiterError(.badRequest, "\(place) is no address; expected one such as 203.0.113.7 or 2001:db8::1")
                }
                return try address.identity()
            }
        )
    }

    private static func identity(_ kind: Identity.Kind, _ name: String, at path: String) throws(LimiterError) -> Identity {
        do throws(LimiterError) {
            return try Identity(kind, name)
        } catch {
            throw LimiterError(error.code, "\(path): \(error.message)")
        }
    }

    private static func overrides(_ fields: JSONFields) throws(LimiterError) -> [String: LimitOverride] {
        var fields = fields
        var overrides: [String: LimitOverride] = [:]
        for name in fields.rest {
            guard let value = fields.take(name) else { continue }
            overrides[name] = try override(value, at: fields.path(of: name))
        }
        return overrides
    }

    /// Reads a rate of policy files, `"500/hour"` or `"unlimited"`, or `{"slots":5}`.
    private static func override(_ value: JSONValue, at path: String) throws(LimiterError) -> LimitOverride {
        switch value {
        case .string(let text):
            do throws(LimiterError) {
                return try LimitOverride(text: text)
            } catch {
                throw LimiterError(.badRequest, "\(path): \(error.message)")
            }
        case .object:
            var fields = try JSONFields(value, at: path)
            guard let slots = try fields.integer("slots") else {
                throw LimiterError(.badRequest, "\(fields.path(of: "slots")) is missing; expected a whole number")
            }
            try fields.finish(expecting: "slots")
            return .slots(slots)
        default:
            throw LimiterError(.badRequest, "\(path) is \(value.kind); expected a rate such as \"500/hour\", or an object with slots")
        }
    }
}
