internal import AsyncHTTPClient
internal import NIOCore

/// An answer's body on its way to the caller: it ends by the call's deadline, and its end frees the request's slot.
struct AnswerBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let source: HTTPClientResponse.Body
    let pass: Pass
    let deadline: Deadline

    func makeAsyncIterator() -> Iterator { Iterator(source: BodySource(source), pass: pass, deadline: deadline) }

    struct Iterator: AsyncIteratorProtocol {
        let source: BodySource
        let pass: Pass
        let deadline: Deadline

        mutating func next() async throws -> ByteBuffer? { try await next(isolation: nil) }

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> ByteBuffer? {
            do {
                let source = source
                guard let part = try await deadline.run({ try await source.next() }) else {
                    pass.end()
                    return nil
                }
                return part
            } catch {
                pass.end()
                if error is ClientError || error is CancellationError { throw error }
                throw ClientError(.connection, "the connection broke within the answer", attempts: 1, cause: error)
            }
        }
    }
}
