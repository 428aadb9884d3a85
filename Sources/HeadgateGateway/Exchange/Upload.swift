import Hummingbird
import NIOCore
import Synchronization

/// The client's body did not come to its end.
struct UploadFailed: Error {
    let cause: any Error
}

/// A request's body for AsyncHTTPClient, which reads it in a task of its own and does not say when it stops.
///
/// Hummingbird reads the same connection again once the answer is written, and two readers at once are a crash: ``close()`` returns
/// when there is no other.
final class Upload: AsyncSequence, Sendable {
    private struct State {
        var isReading = false
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private struct Closed: Error {}

    private let body: RequestBody
    private let client: ClientConnection
    private let exchange: Exchange
    private let state = Mutex(State())

    init(_ body: RequestBody, from client: ClientConnection, for exchange: Exchange) {
        self.body = body
        self.client = client
        self.exchange = exchange
    }

    /// Reads part by part; the upstream's connection is there when it begins.
    func makeAsyncIterator() -> Iterator {
        client.continueBody()
        return Iterator(upload: self, parts: body.makeAsyncIterator())
    }

    /// Lets nobody read the body any more.
    func close() async {
        let isReading = state.withLock { state in
            state.isClosed = true
            return state.isReading
        }
        guard isReading else { return }
        client.abandonBody()
        await withCheckedContinuation { continuation in
            let isReading = state.withLock { state in
                if state.isReading { state.waiter = continuation }
                return state.isReading
            }
            if !isReading { continuation.resume() }
        }
    }

    private func begin() throws(Closed) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.isReading = true }
            return state.isClosed
        }
        if isClosed { throw Closed() }
    }

    private func end() throws(Closed) {
        let (isClosed, waiter) = state.withLock { state in
            state.isReading = false
            return (state.isClosed, state.waiter.take())
        }
        waiter?.resume()
        if isClosed { throw Closed() }
    }

    /// The body's parts.
    struct Iterator: AsyncIteratorProtocol {
        let upload: Upload
        var parts: RequestBody.AsyncIterator

        @concurrent mutating func next() async throws -> ByteBuffer? {
            await upload.exchange.settle()
            try upload.begin()
            let part: Result<ByteBuffer?, any Error>
            do { part = .success(try await parts.next()) } catch { part = .failure(UploadFailed(cause: error)) }
            try upload.end()
            return try part.get()
        }
    }
}
