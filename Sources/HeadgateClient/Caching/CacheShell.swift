internal import Synchronization

/// The cache and the GETs that are under way, behind a lock.
final class CacheShell: Sendable {
    /// What a GET may join.
    enum Entrance: Sendable {
        /// It asks the server, and tells the others.
        case leads(Promise<Joint>)
        /// It waits for what an equal one brings.
        case follows(Promise<Joint>)
    }

    /// What a GET brings those who joined it.
    enum Joint: Sendable {
        /// An answer for all of them.
        case answer(CachedAnswer)
        /// An answer that cannot be shared: each asks the server itself.
        case own
        /// No answer, for a reason that was its own, such as its deadline: one of the others asks next.
        case none
        /// No answer after as many attempts as any of them has.
        case exhausted(ClientError)
    }

    let cache: Mutex<AnswerCache>
    private let flights = Mutex<[String: Promise<Joint>]>([:])

    init(_ configuration: CacheConfiguration) { cache = Mutex(AnswerCache(configuration)) }

    /// Joins the GET of this key that is under way, or begins one.
    func enter(_ key: String) -> Entrance {
        flights.withLock { flights in
            if let promise = flights[key] { return .follows(promise) }
            let promise = Promise<Joint>()
            flights[key] = promise
            return .leads(promise)
        }
    }

    /// Ends a GET, and tells those who joined it.
    func leave(_ key: String, _ promise: Promise<Joint>, with joint: Joint) {
        flights.withLock { _ = $0.removeValue(forKey: key) }
        promise.settle(.success(joint))
    }
}
