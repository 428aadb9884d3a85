internal import AsyncHTTPClient
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

extension PoliteClient {
    /// Makes a call, from memory where that is allowed, and together with equal GETs that are under way.
    func perform(_ call: Call) async throws(ClientError) -> HTTPClientResponse {
        guard configuration.cache.mostBytes > 0 else { return try await exchange(call) }
        // Whoever has quotas of their own has answers of their own.
        let key = "\(call.request.url) \(RequestIdentity.digest(of: call.request, RequestIdentity.personal)) \(call.key)"
        guard call.request.method == .GET else {
            let response = try await exchange(call)
            // What was changed is asked for anew (RFC 9111 4.4).
            if ![.HEAD, .OPTIONS, .TRACE].contains(call.request.method), response.status.code < 400 {
                cache.cache.withLock { $0.forget(key) }
            }
            return response
        }
        let fields = HTTPFields(call.request.headers)
        guard PoliteClient.mayUseCache(fields) else { return try await exchange(call) }
        if case .fresh(let answer) = look(up: key, fields) {
            telemetry.answeredFromCache()
            return HTTPClientResponse(answer, at: elapsed())
        }
        while true {
            switch cache.enter("\(key) \(fields.shape)") {
            case .leads(let promise):
                return try await lead(call, key, fields, promise)
            case .follows(let promise):
                switch try await follow(promise, call) {
                case .answer(let answer) where answer.matches(fields):
                    telemetry.answeredFromCache()
                    return HTTPClientResponse(answer, at: elapsed())
                case .answer, .own: return try await exchange(call)
                case .none: continue
                case .exhausted(let error): throw error
                }
            }
        }
    }

    /// Whether a request leaves the cache to us: it neither forbids it nor sets conditions of its own.
    private static func mayUseCache(_ fields: HTTPFields) -> Bool {
        let own: [HTTPField.Name] = [.range, .ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange]
        return !CacheControl(fields[.cacheControl] ?? "").noStore && own.allSatisfy { fields[$0] == nil }
    }

    private func look(up key: String, _ fields: HTTPFields) -> AnswerCache.Lookup {
        let now = elapsed()
        return cache.cache.withLock { $0.look(up: key, fields, at: now) }
    }

    /// Waits for the answer to an equal GET.
    private func follow(_ promise: Promise<CacheShell.Joint>, _ call: Call) async throws(ClientError) -> CacheShell.Joint {
        do { return try await call.deadline.run { try await promise.value() } } catch {
            throw error as? ClientError ?? ClientError(.cancelled, "the task was cancelled while an equal call was under way", cause: error)
        }
    }

    /// Asks the server, and tells those who joined.
    private func lead(
        _ call: Call,
        _ key: String,
        _ fields: HTTPFields,
        _ promise: Promise<CacheShell.Joint>
    ) async throws(ClientError) -> HTTPClientResponse {
        var joint = CacheShell.Joint.none
        defer { cache.leave("\(key) \(fields.shape)", promise, with: joint) }
        do throws(ClientError) { return try await ask(call, key, fields, &joint) } catch {
            if error.attempts >= configuration.retries.attempts { joint = .exhausted(error) }
            throw error
        }
    }

    /// Asks the server, whether what is known still holds if something is.
    private func ask(
        _ call: Call,
        _ key: String,
        _ fields: HTTPFields,
        _ joint: inout CacheShell.Joint
    ) async throws(ClientError) -> HTTPClientResponse {
        var call = call
        var known: CachedAnswer?
        if case .stale(let answer) = look(up: key, fields) {
            known = answer
            for field in answer.conditions { call.request.headers.replaceOrAdd(name: field.name.rawName, value: field.value) }
        }
        var response = try await exchange(call)
        let answered = HTTPFields(response.headers)
        if response.status == .notModified, var answer = known {
            answer.validate(by: answered, at: elapsed())
            cache.cache.withLock { $0.store(answer, for: key) }
            telemetry.validatedCache()
            joint = .answer(answer)
            return HTTPClientResponse(answer, at: elapsed())
        }
        telemetry.missedCache()
        guard response.status == .ok, response.history.count <= 1, CachedAnswer.isStorable(answered, to: fields),
            Int(response.headers.first(name: "content-length") ?? "0") ?? .max <= configuration.cache.longestBody
        else {
            joint = .own
            return response
        }
        if let body = try await collect(&response),
            let answer = CachedAnswer(status: 200, answered, body: body, to: fields, at: elapsed())
        {
            cache.cache.withLock { $0.store(answer, for: key) }
            joint = .answer(answer)
        } else {
            joint = .own
        }
        return response
    }

    /// Reads a body that may be remembered; nil when it is too long, and then the caller reads it from the beginning all the same.
    private func collect(_ response: inout HTTPClientResponse) async throws(ClientError) -> [UInt8]? {
        let source = BodySource(response.body)
        var parts: [ByteBuffer] = []
        var count = 0
        do {
            while let part = try await source.next() {
                parts.append(part)
                count += part.readableBytes
                if count > configuration.cache.longestBody {
                    response.body = .stream(ResumedBody(beginning: parts, rest: source))
                    return nil
                }
            }
        } catch {
            if let error = error as? ClientError { throw error }
            throw ClientError(.cancelled, "the task was cancelled while it read an answer", attempts: 1, cause: error)
        }
        let body = parts.reduce(into: [UInt8]()) { $0 += $1.readableBytesView }
        response.body = .bytes(ByteBuffer(bytes: body))
        return body
    }
}

extension HTTPFields {
    /// What makes two GETs equal beside their address.
    fileprivate var shape: String {
        map { "\($0.name.canonicalName):\($0.value)" }.filter { !$0.hasPrefix("x-priority:") }.sorted().joined(separator: "\n")
    }
}

extension HTTPClientResponse {
    /// An answer from memory.
    fileprivate init(_ answer: CachedAnswer, at now: Duration) {
        var headers = HTTPHeaders()
        for field in answer.fields { headers.add(name: field.name.rawName, value: field.value) }
        headers.replaceOrAdd(name: "Age", value: "\(max(0, answer.age(at: now).components.seconds))")
        self.init(status: .ok, headers: headers, body: .bytes(ByteBuffer(bytes: answer.body)))
    }
}
