package import Headgate

/// The fields of an object, taken one by one; what is left over is unknown to us and refused.
package struct JSONFields {
    /// Where the object stands in the body: `requests[3].subject`, or empty at the top.
    package let path: String
    private var fields: [String: JSONValue] = [:]
    /// The names in their order, for a stable error.
    private var names: [String] = []

    package init(_ value: JSONValue, at path: String) throws(LimiterError) {
        self.path = path
        guard case .object(let members) = value else {
            throw LimiterError(.badRequest, "\(path.isEmpty ? "the body" : path) is \(value.kind); expected an object")
        }
        for member in members {
            fields[member.name] = member.value
            names.append(member.name)
        }
    }

    /// Where a field of this object stands.
    package func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// Takes a field out; `nil` when it is missing or null.
    package mutating func take(_ name: String) -> JSONValue? {
        let value = fields.removeValue(forKey: name)
        return value == .null ? nil : value
    }

    package mutating func string(_ name: String) throws(LimiterError) -> String? {
        guard let value = take(name) else { return nil }
        guard case .string(let text) = value else { throw mismatch(name, value, "a string") }
        return text
    }

    package mutating func requiredString(_ name: String) throws(LimiterError) -> String {
        guard let text = try string(name) else { throw LimiterError(.badRequest, "\(path(of: name)) is missing; expected a string") }
        return text
    }

    package mutating func integer(_ name: String) throws(LimiterError) -> Int64? {
        guard let value = take(name) else { return nil }
        guard let number = value.wholeNumber else { throw mismatch(name, value, "a whole number") }
        return number
    }

    package mutating func boolean(_ name: String) throws(LimiterError) -> Bool? {
        guard let value = take(name) else { return nil }
        guard case .boolean(let flag) = value else { throw mismatch(name, value, "true or false") }
        return flag
    }

    package mutating func array(_ name: String) throws(LimiterError) -> [JSONValue]? {
        guard let value = take(name) else { return nil }
        guard case .array(let elements) = value else { throw mismatch(name, value, "an array") }
        return elements
    }

    package mutating func object(_ name: String) throws(LimiterError) -> JSONFields? {
        guard let value = take(name) else { return nil }
        return try JSONFields(value, at: path(of: name))
    }

    /// The names that were not taken.
    package var rest: [String] { names.filter { fields[$0] != nil } }

    /// Refuses what was not taken.
    package func finish(expecting known: String) throws(LimiterError) {
        guard let name = rest.first else { return }
        throw LimiterError(.badRequest, "\(path(of: String(name.prefix(64)))) is not a known field; expected \(known)")
    }

    package func mismatch(_ name: String, _ value: JSONValue, _ expected: String) -> LimiterError {
        LimiterError(.badRequest, "\(path(of: name)) is \(value.kind); expected \(expected)")
    }
}
