internal import Headgate
internal import ServiceLifecycle
internal import Synchronization

extension UsageRecorder {
    /// How long the last flush may go on trying.
    static let drainTime: Duration = .seconds(3)
    /// The time between two tries of the last flush.
    static let drainPause: Duration = .milliseconds(50)
    /// Calls that are under way at once.
    static let mostCalls = 64

    /// Flushes at each interval until graceful shutdown, then once more, so that nothing is lost; at cancellation it returns.
    ///
    /// An unreachable Redis ends nothing: what certainly did not get there waits for the next interval.
    public func run() async throws {
        var health = Health.good
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            // A shutdown ends the wait alone: a flush that is cut off would lose its answers.
            try? await cancelWhenGracefulShutdown { try await self.clock.sleep(for: self.interval) }
            health = await flush(after: health)
        }
        await drain(after: health)
    }

    /// How the calls of a flush fared.
    enum Health: Sendable, Hashable {
        case good
        /// Redis is away: the rest of a flush waits, and the next one begins with a single call.
        case bad
    }

    /// Sends all that was counted, and returns when every call was answered.
    func flush(after health: Health) async -> Health {
        var waiting = shards.flatMap { UsageBatch.batches(of: $0.tally.withLock { $0.take() }) }
        var health = health
        var mayCall = true
        await withTaskGroup(of: Health.self) { group in
            var calls = 0
            repeat {
                while mayCall, calls < (health == .good ? UsageRecorder.mostCalls : 1), let batch = waiting.popLast() {
                    calls += 1
                    group.addTask { await self.add(batch) }
                }
                guard let answer = await group.next() else { return }
                calls -= 1
                health = answer
                mayCall = mayCall && answer == .good
            } while true
        }
        waiting.forEach(putBack)
        return mayCall ? health : .bad
    }

    /// Sends one batch, and decides what becomes of it when that fails.
    private func add(_ batch: UsageBatch) async -> Health {
        do throws(LimiterError) {
            try await send(batch.command(prefix: keyPrefix))
            return .good
        } catch {
            telemetry.failed(error)
            switch (error.charge, error.code) {
            case (.unknown, _):
                telemetry.dropped(batch.total, .replyLost)
                return .bad
            case (.notCharged, .badRequest):
                telemetry.dropped(batch.total, .refused)
                return .good
            case (.notCharged, _):
                putBack(batch)
                return .bad
            }
        }
    }

    private func putBack(_ batch: UsageBatch) {
        let dropped = shard(of: batch.identity).tally.withLock { $0.putBack(batch) }
        telemetry.dropped(dropped, .full)
    }

    /// Flushes until nothing waits any more, for a bounded time.
    private func drain(after health: Health) async {
        let end = storeClock.elapsed() + UsageRecorder.drainTime
        var health = health
        while waiting > 0, !Task.isCancelled, storeClock.elapsed() < end {
            health = await flush(after: health)
            if health == .bad { try? await clock.sleep(for: UsageRecorder.drainPause) }
        }
        for shard in shards {
            telemetry.dropped(shard.tally.withLock { $0.take() }.values.reduce(0, +), .shutdown)
        }
    }
}
