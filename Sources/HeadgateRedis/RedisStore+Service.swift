internal import Headgate
internal import NIOCore
public import ServiceLifecycle
internal import Synchronization

extension RedisStore: Service {
    /// Keeps the connections to Redis, until graceful shutdown or cancellation.
    ///
    /// An unreachable Redis ends nothing: attempts go on, and calls say what is wrong. At graceful shutdown new calls are
    /// refused as ``LimiterError/Code/closed``, those under way are answered within their deadline, and the connections close;
    /// at cancellation they are not waited for. Then this returns, and the store cannot be run again.
    public func run() async throws {
        guard isStarted.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else {
            throw LimiterError(.closed, "a Redis store's run() is called once")
        }
        router.start()
        let watch = StateWatch(
            router: router,
            calls: ownCalls,
            telemetry: telemetry,
            isStrict: configuration.strictBackend,
            lost: { self.denials?.forgetAll() }
        )
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.router.watch() }
                if configuration.looksAtServer { group.addTask { await watch.run { self.knownInstances.store($0, ordering: .relaxed) } } }
                group.addTask { await self.denialWatch.run() }
                try await gracefulShutdown()
                group.cancelAll()
            }
            await router.stop(by: deadline)
        } catch {
            await router.stop(by: router.now)
        }
    }
}
