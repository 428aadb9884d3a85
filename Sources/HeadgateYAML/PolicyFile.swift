internal import Foundation
public import HeadgatePolicy

/// Policy files on disk.
public enum PolicyFile {
    /// The largest file, in bytes.
    public static let largest = 1 << 20

    /// Reads, checks and compiles a policy file.
    ///
    /// - Throws: ``InvalidPolicyFile`` with everything that is wrong, each with its line.
    public static func load(_ path: String) throws(InvalidPolicyFile) -> Policy {
        try Policy(yaml: read(path), file: path)
    }

    private static func read(_ path: String) throws(InvalidPolicyFile) -> String {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            // One byte more than allowed tells a file that is too large, without reading all of it.
            data = try handle.read(upToCount: largest + 1) ?? Data()
        } catch {
            throw InvalidPolicyFile(path, nil, "cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= largest else { throw .tooLarge(path) }
        guard let text = String(data: data, encoding: .utf8) else {
            throw InvalidPolicyFile(path, nil, "expected a text in UTF-8, found other bytes")
        }
        return text
    }
}

extension Policy {
    /// Checks and compiles the text of a policy file; errors name it by `file`.
    ///
    /// - Throws: ``InvalidPolicyFile`` with everything that is wrong, each with its line.
    public init(yaml: String, file: String = "policy.yaml") throws(InvalidPolicyFile) {
        guard yaml.utf8.count <= PolicyFile.largest else { throw .tooLarge(file) }
        let document = try YAMLDocument(yaml, file: file)
        var reader = PolicyReader(document)
        let definition = reader.read()
        do {
            let policy = try Policy(definition)
            guard reader.fields.problems.isEmpty else { throw InvalidPolicyFile(reader.fields.problems) }
            self = policy
        } catch let error as InvalidPolicy {
            throw InvalidPolicyFile(reader.fields.merged(with: error.problems))
        } catch let error as InvalidPolicyFile {
            throw error
        } catch {
            throw InvalidPolicyFile(file, nil, "\(error)")
        }
    }
}

extension InvalidPolicyFile {
    init(_ file: String, _ position: Position?, _ message: String) {
        self.init([Problem(file: file, position: position, field: .root, message: message)])
    }

    init(_ problems: [Problem]) {
        self.init(problems: problems)
    }

    static func tooLarge(_ file: String) -> InvalidPolicyFile {
        InvalidPolicyFile(file, nil, "expected at most \(PolicyFile.largest) bytes, found more")
    }
}
