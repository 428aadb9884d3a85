public import AsyncHTTPClient
internal import HTTPTypes
public import NIOCore
internal import NIOHTTP1
internal import Synchronization

extension PoliteClient {
    /// Asks again and again, in growing intervals, until the loop over the answers ends.
    ///
    /// ```swift
    /// for try await answer in client.poll(job, timeout: .seconds(20)) {
    ///     if try await isFinished(answer) { break }
    /// }
    /// ```
    ///
    /// Each question is a call of its own: it keeps to the pace, and an answer's `Retry-After` lengthens the interval. A question that is
    /// refused until a time that the server names is asked again then, when that is within ``PacingConfiguration/longestHold``. Let go of an
    /// answer, or read its body, before asking for the next: it holds a slot until then.
    ///
    /// - Parameters:
    ///   - request: What is asked, a GET as a rule.
    ///   - timeout: The time for each question.
    ///   - intervals: The times between them.
    ///   - priority: How urgent they are.
    /// - Returns: The answers, without end.
    public func poll(
        _ request: HTTPClientRequest,
        timeout: TimeAmount,
        intervals: PollingIntervals = .progressive,
        priority: CallPriority = .normal
    ) -> Polls {
        Polls(client: self, request: request, timeout: timeout, intervals: intervals, priority: priority)
    }
}

/// The answers to a question that is asked again and again; see ``PoliteClient/poll(_:timeout:intervals:priority:)``.
public struct Polls: AsyncSequence, Sendable {
    /// One answer.
    public typealias Element = HTTPClientResponse
    /// Why a question brought no answer; the sequence ends with it.
    public typealias Failure = ClientError

    let client: PoliteClient
    let request: HTTPClientRequest
    let timeout: TimeAmount
    let intervals: PollingIntervals
    let priority: CallPriority

    /// The time after which a question that was refused is asked again; nil when that ends the poll.
    fileprivate func patience(with error: ClientError) -> Duration? {
        guard error.code == .rateLimited || error.code == .unavailable, let time = error.retryAfter, time > .zero else { return nil }
        return time <= client.configuration.pacing.longestHold ? time : nil
    }

    /// Begins to ask.
    public func makeAsyncIterator() -> Iterator { Iterator(polls: self) }

    /// Where a poll stands.
    public struct Iterator: AsyncIteratorProtocol {
        let polls: Polls
        var questions = 0
        var retryAfter: Duration?

        /// Waits for the interval and asks; never nil.
        ///
        /// - Throws: ``ClientError`` as a single call does.
        public mutating func next() async throws(ClientError) -> HTTPClientResponse? {
            while true {
                if questions > 0 { try await pause(for: polls.intervals.wait(after: questions, retryAfter: retryAfter)) }
                questions += 1
                do throws(ClientError) {
                    let response = try await polls.client.execute(polls.request, timeout: polls.timeout, priority: polls.priority)
                    retryAfter = polls.client.retryAfter(in: response, of: polls.request)
                    return response
                } catch {
                    guard let time = polls.patience(with: error) else { throw error }
                    retryAfter = time
                }
            }
        }

        private func pause(for time: Duration) async throws(ClientError) {
            do { try await polls.client.clock.sleep(for: time) } catch {
                throw ClientError(.cancelled, "the task was cancelled between two questions", cause: error)
            }
        }

        /// Waits for the interval and asks; never nil.
        ///
        /// - Throws: ``ClientError`` as a single call does.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> HTTPClientResponse? {
            try await next()
        }
    }
}

extension PoliteClient {
    /// The time that an answer asks to be left in peace.
    fileprivate func retryAfter(in response: HTTPClientResponse, of request: HTTPClientRequest) -> Duration? {
        let now = wallTime()
        var clock = serverClocks.withLock { $0.read(configuration.key(request)) { $0 } }
        return Reading(
            status: Int(response.status.code),
            HTTPFields(response.headers),
            times: AnswerTimes(sent: now, received: now),
            clock: &clock
        ).retryAfter
    }
}
