internal import Headgate
internal import HeadgateRedis
internal import ServiceLifecycle
internal import Synchronization

extension LimitWatch {
    /// The time between two looks at what was seen.
    static let interval: Duration = .milliseconds(200)
    /// How long the last events may take at shutdown.
    static let drainTime: Duration = .seconds(1)
    /// The time between two tries at shutdown.
    static let drainPause: Duration = .milliseconds(50)
    /// Events that are emitted at once.
    static let mostCalls = 32

    /// Emits what was seen until graceful shutdown, then what still waits; at cancellation it returns.
    ///
    /// An unreachable Redis ends nothing: what certainly did not get there is tried again.
    public func run() async throws {
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            try? await cancelWhenGracefulShutdown { try await self.clock.sleep(for: LimitWatch.interval) }
            await emitWaiting()
        }
        let end = elapsed() + LimitWatch.drainTime
        while !Task.isCancelled, elapsed() < end, waiting > 0 {
            await emitWaiting()
            if waiting > 0 { try? await clock.sleep(for: LimitWatch.drainPause) }
        }
        let left = table.withLock { $0.take().count }
        telemetry.dropped(left, .shutdown)
    }

    /// Emits all that waits, until Redis does not take one.
    func emitWaiting() async {
        var waiting = table.withLock { $0.take() }[...]
        var left: [Crossing] = []
        await withTaskGroup(of: Crossing?.self) { group in
            var calls = 0
            repeat {
                while left.isEmpty, calls < LimitWatch.mostCalls, let crossing = waiting.popFirst() {
                    calls += 1
                    group.addTask { await self.emit(crossing) }
                }
                guard let answer = await group.next() else { return }
                calls -= 1
                if let answer { left.append(answer) }
            } while true
        }
        let dropped = table.withLock { $0.putBack(left + waiting) }
        telemetry.dropped(dropped, .full)
    }

    /// Emits one event, when no other instance does.
    ///
    /// - Returns: The crossing, when it is to be tried again.
    private func emit(_ crossing: Crossing) async -> Crossing? {
        var crossing = crossing
        do throws(LimiterError) {
            if !crossing.isClaimed {
                guard try await claim(crossing) else { return nil }
                crossing.isClaimed = true
            }
            let event = LimitEvent(crossing)
            // Trimmed in whole nodes of the stream, so that an addition costs little.
            try await send(["XADD", EventStream.key(in: store), "MAXLEN", "~", EventStream.length, "*"] + event.fields)
            telemetry.emitted(event.kind)
            return nil
        } catch {
            telemetry.failed(error)
            if error.charge == .notCharged, error.code != .badRequest { return crossing }
            telemetry.dropped(1, error.charge == .unknown ? .replyLost : .refused)
            // Whether we are the one to emit is not known: the next sight asks again, and Redis tells.
            if !crossing.isClaimed { table.withLock { $0.forget(crossing.key) } }
            return nil
        }
    }

    /// Whether this instance is the one to emit; another one is known of until the key that says so ends.
    private func claim(_ crossing: Crossing) async throws(LimiterError) -> Bool {
        let (key, window) = (crossing.key, crossing.use.window)
        let name = "\(store.configuration.keyPrefix):{\(key.identity.tag)}:event-\(key.percent)-\(key.limit)"
        let milliseconds = max(1, window.wholeMicroseconds / 1_000)
        let isOurs = try await send(["SET", name, "1", "NX", "PX", String(milliseconds)]) != .null
        let rest = isOurs ? milliseconds : max(0, try await send(["PTTL", name]).integer ?? 0)
        let end = elapsed() + .milliseconds(rest)
        table.withLock { $0.remember(key, until: end) }
        return isOurs
    }

    @discardableResult
    private func send(_ command: [String]) async throws(LimiterError) -> RedisValue {
        // No caller waits for it: it may take longer than a decision.
        try await store.command(command, within: .seconds(1))
    }
}
