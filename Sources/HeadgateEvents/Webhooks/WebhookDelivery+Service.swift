internal import Headgate
internal import ServiceLifecycle
internal import Synchronization

extension WebhookDelivery {
    /// How long attempts that are under way may take at shutdown.
    static let drainTime: Duration = .seconds(2)

    /// Delivers until graceful shutdown, after which attempts under way have two seconds; at cancellation they are cut off.
    ///
    /// What is left stays pending in Redis, and another instance takes it over. Neither an unreachable Redis nor an unreachable
    /// receiver ends it.
    public func run() async throws {
        try await HTTPWebhookSender.withSender(to: configuration) { await deliver(by: $0) }
    }

    /// Delivers by a sender, until graceful shutdown or cancellation.
    func deliver(by sender: some WebhookSender) async {
        await withDiscardingTaskGroup { group in
            var intake = Intake()
            while !Task.isCancelled && !Task.isShuttingDownGracefully {
                await acknowledge()
                await take(&intake)
                for _ in 0..<configuration.mostUnderway { group.addTask { await self.work(sender) } }
                try? await cancelWhenGracefulShutdown { try await self.clock.sleep(for: self.configuration.interval) }
            }
            let end = elapsed() + WebhookDelivery.drainTime
            while !Task.isCancelled, elapsed() < end, book.withLock(\.underway) > 0 {
                try? await clock.sleep(for: .milliseconds(20))
            }
            group.cancelAll()
        }
        await acknowledge()
        try? await stream.leave()
    }

    /// How far the taking of events is.
    private struct Intake {
        /// Whether the group is there, as far as is known.
        var hasGroup = false
        /// When to look for what other instances left.
        var claimAt: Duration = .zero
        /// From where in the stream on.
        var claimFrom = "0-0"
    }

    /// Takes new events, and those that another instance left, as many as there is room for.
    private func take(_ intake: inout Intake) async {
        do throws(LimiterError) {
            if !intake.hasGroup {
                try await stream.createGroup()
                intake.hasGroup = true
            }
            let now = elapsed()
            if now >= intake.claimAt {
                intake.claimAt = now + configuration.takeover / 6
                try await stream.hold(book.withLock(\.ids))
                let room = book.withLock(\.room)
                if room > 0 {
                    let (entries, next) = try await stream.claim(pending: configuration.takeover, from: intake.claimFrom, most: room)
                    intake.claimFrom = next
                    hold(entries)
                }
            }
            let room = book.withLock(\.room)
            if room > 0 { hold(try await stream.read(room)) }
        } catch {
            telemetry.failed(error)
            // NOGROUP: somebody emptied the database.
            if error.code == .badRequest { intake.hasGroup = false }
        }
    }

    private func hold(_ entries: [EventStream.Entry]) {
        let now = elapsed()
        book.withLock { book in
            for entry in entries { book.add(entry, at: now) }
        }
    }
}
