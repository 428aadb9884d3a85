/// Until when a call may take, by an injected clock.
struct Deadline: Sendable {
    let clock: any Clock<Duration>
    let elapsed: @Sendable () -> Duration
    /// Since the client's start.
    let end: Duration

    var left: Duration { end - elapsed() }

    /// Runs a body, which is cancelled and awaited when the time is up.
    ///
    /// - Throws: ``ClientError/Code/deadlineExceeded`` then; else what the body throws.
    func run<Result: Sendable>(
        atMost longest: Duration = .seconds(Int64.max),
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let time = min(left, longest)
        guard time > .zero else { throw Deadline.error }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await clock.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else { throw Deadline.error }
            return result
        }
    }

    static let error = ClientError(.deadlineExceeded, "the answer was not complete by the call's deadline")
}
