import Synchronization
public import Testing

/// Lets a suite have the machine for itself, among the suites with this trait.
///
/// Suites that start processes or measure time would otherwise be in each other's way on a small machine: Swift Testing runs
/// all suites of the package at once.
public struct Exclusive: SuiteTrait, TestScoping {
    /// The turn, taken by one suite at a time.
    private static let turn = Turn()

    /// Runs a suite when its turn has come.
    ///
    /// - Throws: What the suite throws.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Exclusive.turn.take()
        defer { Exclusive.turn.pass() }
        try await function()
    }
}

extension Trait where Self == Exclusive {
    /// One suite at a time, among those that say so.
    public static var exclusive: Exclusive { Exclusive() }
}

/// A turn that is taken in the order of asking.
final class Turn: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if !state.isTaken {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func pass() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
