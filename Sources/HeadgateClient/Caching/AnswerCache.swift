internal import HTTPTypes

/// Answers by request, as many as there is room for: what was used the longest time ago is forgotten first.
struct AnswerCache: Sendable {
    /// What is known of a request's answer.
    enum Lookup: Sendable, Hashable {
        case missing
        /// It may be used.
        case fresh(CachedAnswer)
        /// It may be used once the server has said that it still holds.
        case stale(CachedAnswer)
    }

    private struct Entry: Sendable {
        var answer: CachedAnswer
        var lastUse: UInt64
    }

    private let configuration: CacheConfiguration
    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0
    private(set) var bytes = 0

    init(_ configuration: CacheConfiguration) { self.configuration = configuration }

    var count: Int { entries.count }

    /// What is known of a request's answer.
    mutating func look(up key: String, _ request: HTTPFields, at now: Duration) -> Lookup {
        guard let answer = entries[key]?.answer, answer.matches(request) else { return .missing }
        uses += 1
        entries[key]?.lastUse = uses
        let mustAsk = CacheControl(request[.cacheControl] ?? "").noCache
        if answer.isFresh(at: now), !mustAsk { return .fresh(answer) }
        return answer.conditions.isEmpty ? .missing : .stale(answer)
    }

    /// Remembers an answer, in place of what was known.
    mutating func store(_ answer: CachedAnswer, for key: String) {
        forget(key)
        guard answer.body.count <= configuration.longestBody, answer.bytes + key.utf8.count <= configuration.mostBytes else { return }
        uses += 1
        entries[key] = Entry(answer: answer, lastUse: uses)
        bytes += answer.bytes + key.utf8.count
        while bytes > configuration.mostBytes || entries.count > configuration.mostAnswers {
            guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return }
            forget(oldest)
        }
    }

    /// Forgets an answer: what it was of has been changed.
    mutating func forget(_ key: String) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        bytes -= entry.answer.bytes + key.utf8.count
    }
}
