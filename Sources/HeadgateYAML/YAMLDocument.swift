internal import Yams

/// A parsed YAML text: its tree, and the duplicate keys in it.
struct YAMLDocument {
    let file: String
    let root: Node
    /// The original names of keys that stand more than once, by the names that they were given in the tree.
    let renamed: [String: String]

    /// The most duplicate keys that are reported together.
    private static let mostDuplicates = 50

    init(_ yaml: String, file: String) throws(InvalidPolicyFile) {
        self.file = file
        var aliases = AliasScanner(yaml)
        if let position = aliases.first() {
            throw InvalidPolicyFile(
                file,
                position,
                "expected values written out, found an anchor (&) or alias (*); a text that begins so needs quotes"
            )
        }
        var text = yaml
        var renamed: [String: String] = [:]
        while true {
            do {
                // The parser holds the anchors, but none got this far.
                let parser = try Parser(yaml: text, resolver: .default, constructor: .default, encoding: .utf8)
                guard let root = try parser.singleRoot() else {
                    throw InvalidPolicyFile(file, .start, "expected a policy, found an empty file")
                }
                self.root = root
                self.renamed = renamed
                return
            } catch let error as InvalidPolicyFile {
                throw error
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let position = InvalidPolicyFile.Position(context.mark)
                guard renamed.count < Self.mostDuplicates, let name = names.first,
                    let (changed, marker) = Self.rename(name, at: position, in: text, number: renamed.count)
                else {
                    throw InvalidPolicyFile(file, position, "expected each key once, found \(names.joined(separator: ", ")) more than once")
                }
                text = changed
                renamed[marker] = name
            } catch {
                throw InvalidPolicyFile(file, error, text: yaml)
            }
        }
    }

    /// The text with the first character of a key replaced by one that nobody uses, so that parsing gets past a duplicate with
    /// all positions unchanged.
    private static func rename(
        _ name: String,
        at position: InvalidPolicyFile.Position,
        in text: String,
        number: Int
    ) -> (text: String, marker: String)? {
        guard let privateUse = Unicode.Scalar(0xE000 + number), let first = name.unicodeScalars.first else { return nil }
        var scalars = Array(text.unicodeScalars)
        var line = 1
        var index = 0
        while line < position.line, index < scalars.count {
            if scalars[index] == "\n" || (scalars[index] == "\r" && (index + 1 == scalars.count || scalars[index + 1] != "\n")) {
                line += 1
            }
            index += 1
        }
        index += position.column - 1
        guard index < scalars.count else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, scalars[index] == first else { return nil }
        scalars[index] = privateUse
        var changed = String.UnicodeScalarView()
        changed.append(contentsOf: scalars)
        var marker = String.UnicodeScalarView([privateUse])
        marker.append(contentsOf: name.unicodeScalars.dropFirst())
        return (String(changed), String(marker))
    }
}

extension InvalidPolicyFile.Position {
    static let start = InvalidPolicyFile.Position(line: 1, column: 1)

    init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}

extension InvalidPolicyFile {
    /// What the YAML parser found wrong.
    init(_ file: String, _ error: any Error, text: String) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
            let hasTab = lines.indices.contains(mark.line - 1) && lines[mark.line - 1].contains("\t")
            let hint = hasTab ? " (the line holds a tab; YAML is indented by blanks)" : ""
            let task = context.map { " \($0.text)" } ?? ""
            self.init(file, Position(mark), "expected YAML, found an error\(task): \(problem)\(hint)")
        case YamlError.reader(let problem, _, _, _):
            self.init(file, nil, "expected YAML, found an error: \(problem)")
        default:
            self.init(file, nil, "expected YAML, found an error: \(error)")
        }
    }
}
