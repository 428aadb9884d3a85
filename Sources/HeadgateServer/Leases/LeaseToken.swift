import Foundation
import Headgate

/// A lease as a path segment: it names its slots, so that any instance can renew or release it.
///
/// It is base64url (RFC 4648 5) of lines: the version, the id, and for each slot the identity's tag, the limit's id, the number
/// of slots and the time to live in microseconds, with blanks between. No tag and no id of a limit holds a blank.
enum LeaseToken {
    private static let version = "1"
    private static let longest = 16_384
    private static let urlSafe: [Character: Character?] = ["+": "-", "/": "_", "=": nil]

    /// The token of a lease.
    static func text(of lease: Lease) -> String {
        let slots = lease.slots.map { slot in
            let timeToLive = Lease(id: lease.id, slots: [slot]).timeToLive.wholeMicroseconds
            return "\(slot.identity.tag) \(slot.limit.id) \(slot.limit.algorithm.capacity) \(timeToLive)"
        }
        let lines = ([version, lease.id] + slots).joined(separator: "\n")
        return String(Data(lines.utf8).base64EncodedString().compactMap { urlSafe[$0, default: $0] })
    }

    /// The lease that a token names.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when the text is no token.
    static func lease(_ token: some StringProtocol) throws(LimiterError) -> Lease {
        let malformed = LimiterError(.badRequest, "the lease id is malformed; expected the lease of a decision, unchanged")
        let padding = String(repeating: "=", count: (4 - token.utf8.count % 4) % 4)
        let base64 = String(token.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }) + padding
        guard token.utf8.count <= longest, let data = Data(base64Encoded: base64), let text = String(validating: data, as: UTF8.self) else {
            throw malformed
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines[0] == version, isID(lines[1]) else { throw malformed }
        var slots: [Lease.Slot] = []
        for line in lines.dropFirst(2) {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 4, let capacity = Int64(words[2]), let timeToLive = Int64(words[3]) else { throw malformed }
            do {
                let algorithm = try Algorithm.concurrency(capacity, timeToLive: .microseconds(timeToLive))
                slots.append(Lease.Slot(identity: try Identity(tag: String(words[0])), limit: try Limit(String(words[1]), algorithm)))
            } catch {
                throw malformed
            }
        }
        return Lease(id: String(lines[1]), slots: slots)
    }

    /// Whether a text looks like a lease's id: 32 hex digits.
    private static func isID(_ text: Substring) -> Bool {
        text.utf8.count == 32 && text.allSatisfy(\.isHexDigit)
    }
}
