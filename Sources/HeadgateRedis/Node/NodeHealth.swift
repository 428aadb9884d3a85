internal import Headgate
internal import NIOCore
internal import Synchronization

/// Whether a node is asked: its breaker and its fitness, shared by those who call it on any thread, the lanes that see how calls
/// end, and the watch that looks at the server itself.
final class NodeHealth: Sendable {
    private struct State {
        var breaker = Breaker()
        var unfitness: LimiterError?

        var refusal: LimiterError? { unfitness ?? breaker.refusal }
    }

    let name: String

    private let telemetry: RedisTelemetry
    private let state = Mutex(State())
    /// Read before the lock is taken: a healthy node costs two loads per call.
    private let refuses = Atomic<Bool>(false)
    private let isTroubled = Atomic<Bool>(false)
    private let connectionCount = Atomic<Int>(0)

    init(name: String, telemetry: RedisTelemetry, unfitness: LimiterError? = nil) {
        self.name = name
        self.telemetry = telemetry
        telemetry.breaker(of: name, isOpen: false)
        fitness(unfitness)
    }

    /// How many connections to the node were made so far.
    var connections: Int { connectionCount.load(ordering: .relaxed) }

    /// What to refuse a call with; `nil` when it may go on.
    var refusal: LimiterError? {
        guard refuses.load(ordering: .relaxed) else { return nil }
        return state.withLock { $0.refusal }
    }

    /// Notes that a connection was made.
    func connected() { connectionCount.wrappingAdd(1, ordering: .relaxed) }

    /// Notes why the server is not to be used, or that it is fit.
    func fitness(_ unfitness: LimiterError?) {
        state.withLock { state in
            state.unfitness = unfitness
            refuses.store(state.refusal != nil, ordering: .relaxed)
        }
    }

    /// Notes that a call found no answer; true when that opens the breaker.
    func failed(_ error: LimiterError, at now: NIODeadline) -> Bool {
        guard error.code.isNodeTrouble else { return false }
        let opened = state.withLock { state in
            let opened = state.breaker.failed(error, at: now)
            isTroubled.store(true, ordering: .relaxed)
            if opened { refuses.store(true, ordering: .relaxed) }
            return opened
        }
        if opened { telemetry.breakerOpened(name, error) }
        return opened
    }

    /// Notes that the node answered.
    func answered() {
        guard isTroubled.load(ordering: .relaxed) else { return }
        let closed = state.withLock { state in
            let closed = state.breaker.answered()
            isTroubled.store(false, ordering: .relaxed)
            refuses.store(state.refusal != nil, ordering: .relaxed)
            return closed
        }
        if closed { telemetry.breakerClosed(name) }
    }
}
