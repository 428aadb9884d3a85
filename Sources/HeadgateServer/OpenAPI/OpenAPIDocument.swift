import HeadgateJSON

/// The OpenAPI document of what a listener serves; `public.json` and `admin.json` of this folder, embedded at build time.
struct OpenAPIDocument: Sendable {
    /// Paths that are served together or not at all: the tag that their operations bear.
    enum Part: String, CaseIterable {
        /// What customers ask of their own limits.
        case customers
        /// What services ask on others' behalf.
        case services
        /// Health, and the document itself.
        case operations
    }

    let json: JSONValue

    /// What operators are served.
    static let admin = OpenAPIDocument(json: parsed(PackageResources.admin_json))

    /// What the public listener serves, with the paths of these parts alone.
    static func publicListener(with parts: Set<Part>) -> OpenAPIDocument {
        let tags = Set(parts.map(\.rawValue))
        var json = parsed(PackageResources.public_json)
        json = json.changing("paths") { paths in paths.filtered { $0.value.hasOperation(of: tags) } }
        json = json.changing("tags") { list in list.filtered { tags.contains($0.member("name")?.string ?? "") } }
        if !parts.contains(.services) {
            json = json.changing("info") { info in info.changing("description") { .string(($0.string ?? "") + gatewayNote) } }
        }
        return OpenAPIDocument(json: json)
    }

    private static let gatewayNote =
        " This is a gateway: every path that is not listed here is forwarded to the API behind it, by the caller's key and limits."

    private static func parsed(_ bytes: [UInt8]) -> JSONValue { (try? JSONParser.parse(bytes)) ?? nil }
}

extension JSONValue {
    fileprivate var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    fileprivate func member(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The object with another value for a member that it has.
    fileprivate func changing(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.map { $0.name == name ? Member(name: name, value: change($0.value)) : $0 })
    }

    /// The object with the members that pass.
    fileprivate func filtered(_ passes: (Member) -> Bool) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter(passes))
    }

    /// The array with the elements that pass.
    fileprivate func filtered(_ passes: (JSONValue) -> Bool) -> JSONValue {
        guard case .array(let elements) = self else { return self }
        return .array(elements.filter(passes))
    }

    /// Whether a path's item has an operation with one of these tags.
    fileprivate func hasOperation(of tags: Set<String>) -> Bool {
        guard case .object(let members) = self else { return false }
        return members.contains { member in
            guard case .array(let own) = member.value.member("tags") else { return false }
            return own.contains { tags.contains($0.string ?? "") }
        }
    }
}
