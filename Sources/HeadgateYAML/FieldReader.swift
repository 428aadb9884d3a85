internal import Headgate
internal import HeadgatePolicy
internal import Yams

/// A value in the tree, and its place in the policy.
struct Field {
    let node: Node
    let path: FieldPath
}

/// Reads values out of a tree and collects what is wrong with them.
struct FieldReader {
    let document: YAMLDocument
    private(set) var problems: [InvalidPolicyFile.Problem] = []
    /// Where fields stand: a mapping's entries at their keys.
    private var positions: [FieldPath: InvalidPolicyFile.Position] = [.root: .start]

    init(_ document: YAMLDocument) { self.document = document }

    mutating func report(_ field: Field, _ message: String) {
        report(field.path, field.node.mark.map(InvalidPolicyFile.Position.init), message)
    }

    private mutating func report(_ path: FieldPath, _ position: InvalidPolicyFile.Position?, _ message: String) {
        problems.append(
            InvalidPolicyFile.Problem(file: document.file, position: position ?? self.position(of: path), field: path, message: message)
        )
    }

    /// Where a field stands, or the nearest one around it that does.
    private func position(of path: FieldPath) -> InvalidPolicyFile.Position {
        var path = path
        while let parent = path.parent {
            if let position = positions[path] { return position }
            path = parent
        }
        return positions[.root] ?? .start
    }

    /// All problems, with those of the policy as a whole that are no mere consequence of unreadable fields.
    func merged(with others: [InvalidPolicy.Problem]) -> [InvalidPolicyFile.Problem] {
        let known = problems.map(\.field)
        let new = others.filter { other in !known.contains { $0.isRelated(to: other.path) } }.map {
            InvalidPolicyFile.Problem(file: document.file, position: position(of: $0.path), field: $0.path, message: $0.message)
        }
        return (problems + new).sorted { ($0.position ?? .start) < ($1.position ?? .start) }
    }

    /// The entries of a mapping in order, each key once.
    mutating func entries(_ field: Field) -> [(key: String, field: Field)]? {
        guard case .mapping(let mapping) = field.node else {
            report(field, "expected a mapping such as 'key: value', found \(field.node.kind)")
            return nil
        }
        var entries: [(key: String, field: Field)] = []
        var firsts: [String: InvalidPolicyFile.Position] = [:]
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                report(Field(node: key, path: field.path), "expected a word as key, found \(key.kind)")
                continue
            }
            let name = document.renamed[scalar.string] ?? scalar.string
            let path = field.path.key(name)
            let position = key.mark.map(InvalidPolicyFile.Position.init) ?? .start
            if let first = firsts[name] {
                report(path, position, "expected each key once, found '\(name)' again, first in line \(first.line)")
                continue
            }
            firsts[name] = position
            positions[path] = position
            entries.append((name, Field(node: value, path: path)))
        }
        return entries
    }

    /// The names in a mapping, in order.
    func names(_ field: Field) -> [String] {
        guard case .mapping(let mapping) = field.node else { return [] }
        return mapping.compactMap { entry in entry.key.scalar.map { document.renamed[$0.string] ?? $0.string } }
    }

    /// The fields of a mapping that may have these and no others.
    mutating func fields(_ field: Field, _ known: [String]) -> [String: Field] {
        guard let entries = entries(field) else { return [:] }
        var fields: [String: Field] = [:]
        for entry in entries {
            if known.contains(entry.key) {
                fields[entry.key] = entry.field
            } else {
                let hint = Suggestion.hint(for: entry.key, among: known)
                report(
                    entry.field.path,
                    positions[entry.field.path],
                    "unknown field; expected one of \(Suggestion.list(known)), found '\(entry.key)'\(hint)"
                )
            }
        }
        return fields
    }

    /// The items of a list.
    mutating func items(_ field: Field) -> [Field]? {
        guard case .sequence(let sequence) = field.node else {
            report(field, "expected a list such as [a, b], found \(field.node.kind)")
            return nil
        }
        return sequence.enumerated().map { index, node in
            let path = field.path.index(index)
            positions[path] = node.mark.map(InvalidPolicyFile.Position.init)
            return Field(node: node, path: path)
        }
    }
}

extension FieldReader {
    /// A text; also a number or a word such as `yes`, as it is written.
    mutating func string(_ field: Field, _ expected: String = "a text") -> String? {
        guard case .scalar(let scalar) = field.node, !scalar.isNull else {
            report(field, "expected \(expected), found \(field.node.kind)")
            return nil
        }
        return scalar.string
    }

    /// A whole number.
    mutating func integer(_ field: Field) -> Int64? {
        guard case .scalar(let scalar) = field.node, scalar.style == .plain, let number = Int64(digits: scalar.string) else {
            report(field, "expected a whole number such as 100, found \(field.node.kind)")
            return nil
        }
        return number
    }

    /// `true` or `false`.
    mutating func bool(_ field: Field) -> Bool? {
        guard case .scalar(let scalar) = field.node, scalar.style == .plain, let bool = Bool(scalar.string) else {
            report(field, "expected true or false, found \(field.node.kind)")
            return nil
        }
        return bool
    }

    /// One of an enumeration's words.
    mutating func choice<Choice>(_ field: Field) -> Choice? where Choice: CaseIterable & RawRepresentable<String> {
        let names = Choice.allCases.map(\.rawValue)
        guard let word = string(field, "one of \(Suggestion.list(names))") else { return nil }
        guard let choice = Choice(rawValue: word) else {
            report(field, "expected one of \(Suggestion.list(names)), found '\(word)'\(Suggestion.hint(for: word, among: names))")
            return nil
        }
        return choice
    }

    /// A text in a form of its own.
    mutating func parsed<Value>(
        _ field: Field,
        _ expected: String = "a text",
        as parse: (String) throws(LimiterError) -> Value
    ) -> Value? {
        guard let text = string(field, expected) else { return nil }
        do {
            return try parse(text)
        } catch {
            report(field, error.message)
            return nil
        }
    }
}

extension Node {
    /// What the value is, for messages.
    var kind: String {
        switch self {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "'\(scalar.string.prefix(80))'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}

extension Node.Scalar {
    var isNull: Bool { style == .plain && ["", "~", "null", "Null", "NULL"].contains(string) }
}
