internal import Synchronization

/// Gathers single calls into calls of a batch endpoint, and hands each caller its own result.
///
/// ```swift
/// let executions = Batcher { (inputs: [Input]) in try await executeAll(inputs, client) }
/// async let running: Void = executions.run()
/// let output = try await executions.call(input)
/// ```
public final class Batcher<Item: Sendable, Output: Sendable>: Sendable {
    private struct State {
        var book: BatchBook<Item>
        var promises: [UInt64: Promise<Output>] = [:]
        var hasEnded = false
    }

    private let state: Mutex<State>
    private let bell = Bell()
    private let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Duration
    private let send: @Sendable ([Item]) async throws -> [Output]

    /// Creates a batcher; nothing is sent until ``run()`` runs.
    ///
    /// - Parameters:
    ///   - configuration: How calls are gathered.
    ///   - clock: By what they are timed.
    ///   - send: Calls the batch endpoint; returns a result for each item, in their order.
    public init<C: Clock<Duration>>(
        _ configuration: BatchConfiguration = BatchConfiguration(),
        clock: C = ContinuousClock(),
        send: @escaping @Sendable ([Item]) async throws -> [Output]
    ) {
        state = Mutex(State(book: BatchBook(configuration)))
        self.clock = clock
        self.send = send
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
    }

    /// Has one item sent with the next batch.
    ///
    /// Cancelling the task takes the item out of a batch that has not been sent.
    ///
    /// - Returns: The item's own result.
    /// - Throws: ``ClientError`` as the batch's call does, ``ClientError/Code/batch`` when it has no result for this item, or
    ///   ``ClientError/Code/queueFull``.
    public func call(_ item: Item) async throws(ClientError) -> Output {
        let now = elapsed()
        let promise = Promise<Output>()
        let number: UInt64? = try state.withLock { (state) throws(ClientError) in
            guard !state.hasEnded else { throw Batcher.ended }
            let number = state.book.add(item, at: now)
            if let number { state.promises[number] = promise }
            return number
        }
        guard let number else { throw ClientError(.queueFull, "too many items wait for a batch already") }
        bell.ring()
        do throws(ClientError) { return try await promise.value() } catch {
            if error.code == .cancelled {
                state.withLock { state in
                    state.book.remove(number)
                    state.promises[number] = nil
                }
            }
            throw error
        }
    }

    /// Sends batches until it is cancelled; then what is under way is cut off, and what waits is refused.
    public func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let now = elapsed()
                if let batch = state.withLock({ $0.book.due(at: now) }) {
                    group.addTask { await self.carry(batch) }
                } else if let wake = state.withLock(\.book.wakesAt) {
                    await bell.wait(atMost: wake - now, by: clock)
                } else {
                    await bell.wait()
                }
            }
            group.cancelAll()
        }
        let left = state.withLock { state in
            state.hasEnded = true
            _ = state.book.removeAll()
            defer { state.promises = [:] }
            return Array(state.promises.values)
        }
        for promise in left { promise.settle(.failure(Batcher.ended)) }
    }

    /// Sends one batch and hands out its results.
    private func carry(_ batch: [BatchBook<Item>.Entry]) async {
        var results: [Output] = []
        var failure = ClientError(.batch, "the batch's answer has no result for this item", attempts: 1)
        do { results = try await send(batch.map(\.item)) } catch {
            failure = error as? ClientError ?? ClientError(.batch, "the batch failed", attempts: 1, cause: error)
        }
        let promises = state.withLock { state in
            state.book.finish()
            return batch.map { state.promises.removeValue(forKey: $0.number) }
        }
        // A result too few or too many says nothing of which is whose.
        let isComplete = results.count == batch.count
        for (index, promise) in promises.enumerated() {
            promise?.settle(isComplete ? .success(results[index]) : .failure(failure))
        }
        bell.ring()
    }

    private static var ended: ClientError { ClientError(.cancelled, "the batcher has ended") }
}
