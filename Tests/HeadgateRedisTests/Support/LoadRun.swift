import Headgate
import Synchronization

@testable import HeadgateRedis

/// Decisions in a loop, and what became of them.
final class LoadRun: Sendable {
    let tally = Tally()
    private let slowest = Mutex(Duration.zero)
    private let isOver = Atomic<Bool>(false)

    /// The longest time that a decision took.
    var longest: Duration { slowest.withLock { $0 } }

    /// Ends all loops.
    func end() { isOver.store(true, ordering: .relaxed) }

    /// Decides until the end.
    func decide(on store: RedisStore, _ charge: Charge) async throws {
        while !isOver.load(ordering: .relaxed) {
            let start = ContinuousClock.now
            do throws(LimiterError) {
                _ = try await store.take(charge)
                tally.add("granted")
            } catch {
                tally.add("\(error.code)")
                if error.charge == .unknown { tally.add("unknown") }
            }
            let took = ContinuousClock.now - start
            slowest.withLock { $0 = max($0, took) }
            // Refusals come at once; a loop of them would starve the machine.
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

/// A value that a test changes while others read it.
final class Changeable<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    init(_ value: Value) { stored = Mutex(value) }

    var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    /// Changes the value in one step.
    func change(_ body: (inout Value) -> Void) { stored.withLock { body(&$0) } }
}
