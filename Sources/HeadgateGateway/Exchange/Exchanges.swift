import NIOHTTP1
import Synchronization

/// The requests that wait for a connection, by the numbers that they carry to it.
///
/// AsyncHTTPClient takes a request's head and hands it to a connection of its choice; a field, which is never sent, says which it is.
final class Exchanges: Sendable {
    /// The name of the field; clients' own fields of this kind are not passed on.
    static let field = "X-Headgate-Exchange"

    private struct State {
        var last: UInt64 = 0
        var waiting: [UInt64: Exchange] = [:]
    }

    private let state = Mutex(State())

    /// Adds a request, and marks its fields with its number.
    func add(_ exchange: Exchange, to headers: inout HTTPHeaders) -> UInt64 {
        let number = state.withLock { state in
            state.last += 1
            state.waiting[state.last] = exchange
            return state.last
        }
        headers.replaceOrAdd(name: Exchanges.field, value: String(number))
        return number
    }

    /// Removes a request, if it still waits.
    func remove(_ number: UInt64) { state.withLock { _ = $0.waiting.removeValue(forKey: number) } }

    /// Removes the request that the fields are of, and the mark.
    func take(_ headers: inout HTTPHeaders) -> Exchange? {
        let number = headers.first(name: Exchanges.field).flatMap { UInt64($0) }
        headers.remove(name: Exchanges.field)
        return number.flatMap { number in state.withLock { $0.waiting.removeValue(forKey: number) } }
    }
}
