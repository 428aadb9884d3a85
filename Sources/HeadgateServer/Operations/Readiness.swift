import Headgate
import HeadgateHTTP
import ServiceLifecycle
import Synchronization

/// Whether this instance should be sent requests.
final class Readiness: Sendable {
    private let isDraining = Atomic(false)
    private let probe: @Sendable () async throws(LimiterError) -> Void
    private let upstream: (@Sendable () async -> String?)?

    /// Why it should not be.
    struct Refusal: Error, Equatable { let reason: String }

    /// - Parameters:
    ///   - probe: Asks the store for a decision of the real script.
    ///   - upstream: Says why the gateway's upstream cannot be reached; nil when it can.
    init(probe: @escaping @Sendable () async throws(LimiterError) -> Void, upstream: (@Sendable () async -> String?)? = nil) {
        self.probe = probe
        self.upstream = upstream
    }

    /// Says no from now on.
    func beginDraining() { isDraining.store(true, ordering: .releasing) }

    func check() async throws(Refusal) {
        guard !isDraining.load(ordering: .acquiring) else { throw Refusal(reason: "draining") }
        do {
            try await probe()
        } catch {
            throw Refusal(reason: error.code.snakeCase)
        }
        if let reason = await upstream?() { throw Refusal(reason: reason) }
    }
}

/// Turns readiness off as soon as the shutdown begins, then gives load balancers time to see it.
///
/// It is the last service of the group, and so the first to be shut down: the listener goes on serving meanwhile.
struct DrainService: Service {
    let readiness: Readiness
    let delay: Duration

    func run() async throws {
        guard (try? await gracefulShutdown()) != nil else { return }
        readiness.beginDraining()
        try? await Task.sleep(for: delay)
    }
}
