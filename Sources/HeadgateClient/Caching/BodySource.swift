internal import AsyncHTTPClient
internal import NIOCore

/// A body's iterator, which one task uses at a time.
///
/// An actor, against the rule of the house: the iterator is not Sendable and has to be awaited in a child task, beside the one that
/// waits for the deadline; a lock cannot be held over that.
actor BodySource {
    private var iterator: HTTPClientResponse.Body.AsyncIterator?

    init(_ body: HTTPClientResponse.Body) { iterator = body.makeAsyncIterator() }

    /// The next part; nil at the end, and while another task waits for one.
    func next() async throws -> ByteBuffer? {
        guard var iterator else { return nil }
        self.iterator = nil
        let part = try await iterator.next(isolation: self)
        if part != nil { self.iterator = iterator }
        return part
    }
}

/// A body of which the beginning was read already.
struct ResumedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let beginning: [ByteBuffer]
    let rest: BodySource

    func makeAsyncIterator() -> Iterator { Iterator(beginning: beginning[...], rest: rest) }

    struct Iterator: AsyncIteratorProtocol {
        var beginning: ArraySlice<ByteBuffer>
        let rest: BodySource

        mutating func next() async throws -> ByteBuffer? {
            if let part = beginning.popFirst() { return part }
            return try await rest.next()
        }
    }
}
