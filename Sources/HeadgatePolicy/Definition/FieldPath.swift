/// The place of a field in a policy: `tiers.free.limits.read` or `endpoints[3].match`.
public struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    /// One step from a field to a field inside it.
    public enum Component: Sendable, Hashable {
        /// A named field.
        case key(String)
        /// An item of a list, counted from 0.
        case index(Int)
    }

    /// The steps from the whole policy to the field.
    public private(set) var components: [Component]

    /// The whole policy.
    public static let root = FieldPath(components: [])

    private init(components: [Component]) { self.components = components }

    /// The field of this name inside this one.
    public func key(_ name: String) -> FieldPath { FieldPath(components: components + [.key(name)]) }

    /// The item at this position of this list.
    public func index(_ position: Int) -> FieldPath { FieldPath(components: components + [.index(position)]) }

    /// The field that this one is in; `nil` for the whole policy.
    public var parent: FieldPath? {
        components.isEmpty ? nil : FieldPath(components: components.dropLast())
    }

    /// Whether one of the two fields is, or lies in, the other.
    public func isRelated(to other: FieldPath) -> Bool {
        zip(components, other.components).allSatisfy { $0 == $1 }
    }

    /// The steps joined by dots, with list positions in brackets.
    public var description: String {
        var text = ""
        for component in components {
            switch component {
            case .key(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let position): text += "[\(position)]"
            }
        }
        return text.isEmpty ? "policy" : text
    }
}
