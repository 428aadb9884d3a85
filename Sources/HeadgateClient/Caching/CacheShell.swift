internal import Synchronization

/// The cache and the GETs that are under way, behind a lock.
final class CacheShell: Sendable {
    /// What a GET may join.
    enum Entrance: Sendable {
        /// It asks the server, and tells the others.
        case leads(Promise<CachedAnswer?>)
        /// It waits for the answer to an equal one; nil is an answer that cannot be shared.
        case follows(Promise<CachedAnswer?>)
    }

    let cache: Mutex<AnswerCache>
    private let flights = Mutex<[String: Promise<CachedAnswer?>]>([:])

    init(_ configuration: CacheConfiguration) { cache = Mutex(AnswerCache(configuration)) }

    /// Joins the GET of this key that is under way, or begins one.
    func enter(_ key: String) -> Entrance {
        flights.withLock { flights in
            if let promise = flights[key] { return .follows(promise) }
            let promise = Promise<CachedAnswer?>()
            flights[key] = promise
            return .leads(promise)
        }
    }

    /// Ends a GET; those who joined it have its answer, or ask themselves.
    func leave(_ key: String, _ promise: Promise<CachedAnswer?>, with answer: CachedAnswer?) {
        flights.withLock { _ = $0.removeValue(forKey: key) }
        promise.settle(.success(answer))
    }
}
