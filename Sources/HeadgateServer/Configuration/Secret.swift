import Crypto
import Foundation
import Synchronization

/// A secret that callers have to know, fixed or in a file; a changed file counts within a second.
///
/// It stands in no description, mirror, error or log line.
public final class Secret: Sendable, CustomStringConvertible, CustomReflectable {
    private enum Source: Sendable {
        case fixed(String)
        case file(String)
    }

    private let source: Source
    private let known = Mutex<(text: String, readAt: ContinuousClock.Instant)?>(nil)

    /// A secret that does not change.
    ///
    /// - Throws: ``ConfigurationError`` when it has fewer than 16 characters.
    public init(_ text: String, named name: String) throws(ConfigurationError) {
        guard text.count >= 16 else { throw ConfigurationError("\(name) is too short; expected 16 characters or more") }
        source = .fixed(text)
    }

    /// The secret that a file holds, without the blanks and line ends around it.
    ///
    /// - Throws: ``ConfigurationError`` when the file cannot be read or holds fewer than 16 characters.
    public init(file path: String, named name: String) throws(ConfigurationError) {
        source = .file(path)
        guard let text = Secret.read(path) else { throw ConfigurationError("\(name): the file \(path) cannot be read") }
        guard text.count >= 16 else { throw ConfigurationError("\(name): the file \(path) holds fewer than 16 characters") }
    }

    /// The text now; a file that cannot be read any more leaves the last one.
    public var text: String {
        switch source {
        case .fixed(let text): text
        case .file(let path):
            known.withLock { known in
                if let known, known.readAt.duration(to: .now) < .seconds(1) { return known.text }
                let text = Secret.read(path).flatMap { $0.count >= 16 ? $0 : nil } ?? known?.text ?? ""
                known = (text, .now)
                return text
            }
        }
    }

    /// Whether a text is the secret, in time that does not depend on where they differ.
    public func matches(_ candidate: String) -> Bool {
        let text = text
        return !text.isEmpty && SHA256.hash(data: Data(candidate.utf8)) == SHA256.hash(data: Data(text.utf8))
    }

    /// A fixed text.
    public var description: String { "Secret(redacted)" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    private static func read(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
