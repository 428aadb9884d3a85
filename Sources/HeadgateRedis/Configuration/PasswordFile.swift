#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import Synchronization

/// A file that holds a password, and what it held when it was read last.
final class PasswordFile: Sendable {
    /// Where it is.
    let path: String

    private let known = Mutex<String?>(nil)

    init(_ path: String) { self.path = path }

    /// What was read last.
    var password: String? { known.withLock { $0 } }

    /// Reads the file, which may take a while.
    func read() {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        let blanks: (Character) -> Bool = { $0.isWhitespace }
        guard let first = text.firstIndex(where: { !blanks($0) }), let last = text.lastIndex(where: { !blanks($0) }) else { return }
        known.withLock { $0 = String(text[first...last]) }
    }
}
