internal import HTTPTypes

/// One answer that is remembered.
struct CachedAnswer: Sendable, Hashable {
    /// The header fields, without those that held only for the request that it came to.
    private(set) var fields: HTTPFields
    let body: [UInt8]
    /// The request's fields that the answer depends on.
    let varying: [String: String]
    /// When it came, since the client's start.
    private(set) var storedAt: Duration
    /// Its age when it came.
    private(set) var ageThen: Duration
    /// The time, from its making on, for which it may be used without asking.
    private(set) var lifetime: Duration

    /// Remembers an answer; nil when that is not allowed or of no use.
    ///
    /// Only what says so itself is good for a time: nothing is guessed from `Last-Modified`.
    init?(status: Int, _ fields: HTTPFields, body: [UInt8], to request: HTTPFields, at now: Duration) {
        guard status == 200, CachedAnswer.isStorable(fields, to: request) else { return nil }
        self.fields = CachedAnswer.lasting(fields)
        self.body = body
        varying = CachedAnswer.varying(fields, request)
        storedAt = now
        ageThen = CachedAnswer.age(fields)
        lifetime = CachedAnswer.lifetime(fields)
    }

    /// Whether an answer may be remembered, before its body is there.
    static func isStorable(_ fields: HTTPFields, to request: HTTPFields) -> Bool {
        let control = CacheControl(fields[.cacheControl] ?? "")
        guard !control.noStore, fields[.vary]?.contains("*") != true else { return false }
        return lifetime(fields) > .zero || fields[.eTag] != nil || fields[.lastModified] != nil
    }

    /// Whether it answers a request at all.
    func matches(_ request: HTTPFields) -> Bool { varying == CachedAnswer.varying(fields, request) }

    /// Whether it may be used without asking.
    func isFresh(at now: Duration) -> Bool { age(at: now) < lifetime }

    func age(at now: Duration) -> Duration { ageThen + (now - storedAt) }

    /// The fields that ask whether it still holds; empty when it has nothing to ask by.
    var conditions: HTTPFields {
        var conditions = HTTPFields()
        conditions[.ifNoneMatch] = fields[.eTag]
        conditions[.ifModifiedSince] = fields[.lastModified]
        return conditions
    }

    /// The server says that it still holds (RFC 9111 4.3.4).
    mutating func validate(by answer: HTTPFields, at now: Duration) {
        for field in CachedAnswer.lasting(answer) where field.name != .contentLength && field.name != .contentEncoding {
            fields[field.name] = answer[field.name]
        }
        storedAt = now
        ageThen = CachedAnswer.age(answer)
        lifetime = CachedAnswer.lifetime(fields)
    }

    /// What it takes of the cache's memory.
    var bytes: Int { body.count + fields.reduce(256) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count } }

    private static func varying(_ fields: HTTPFields, _ request: HTTPFields) -> [String: String] {
        var values: [String: String] = [:]
        for name in (fields[.vary] ?? "").split(separator: ",") {
            let name = name.filter { $0 != " " && $0 != "\t" }.lowercased()
            values[name] = HTTPField.Name(name).flatMap { request[$0] } ?? ""
        }
        return values
    }

    private static func lifetime(_ fields: HTTPFields) -> Duration {
        let control = CacheControl(fields[.cacheControl] ?? "")
        if control.noCache { return .zero }
        if let age = control.maxAge { return age }
        guard let expires = fields[.expires].flatMap({ HTTPDate.epochSecond($0) }) else { return .zero }
        guard let date = fields[.date].flatMap({ HTTPDate.epochSecond($0) }) else { return .zero }
        return FieldText.seconds(Double(expires - date)) ?? .zero
    }

    private static func age(_ fields: HTTPFields) -> Duration {
        fields[.age].flatMap { FieldText.count($0) }.flatMap { FieldText.seconds(Double($0)) } ?? .zero
    }

    /// Without what holds for one connection, and what is said of limits: an answer from memory says nothing of them (draft, 6).
    private static func lasting(_ fields: HTTPFields) -> HTTPFields {
        let passing: Set<String> = ["connection", "keep-alive", "transfer-encoding", "retry-after", "age"]
        var lasting = HTTPFields()
        for field in fields {
            let name = field.name.canonicalName
            if !name.contains("ratelimit"), !passing.contains(name) { lasting.append(field) }
        }
        return lasting
    }
}
