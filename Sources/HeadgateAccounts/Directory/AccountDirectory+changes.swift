internal import Headgate
internal import HeadgateRedis
public import ServiceLifecycle
internal import Synchronization

extension AccountDirectory: Service {
    /// Looks at the changes, and writes when keys were used, until graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var looks = 0
            while !Task.isCancelled {
                await self.look()
                looks += 1
                if looks % 50 == 0 { await self.writeUses() }
                try? await Task.sleep(for: Freshness.interval)
            }
        }
        await writeUses()
    }

    /// Looks at what was changed since the last look, and forgets it.
    package func look() async {
        let at = ContinuousClock.now
        do {
            async let time = store.redis.time()
            let (notes, complete) = try await changes()
            let now = try await time
            // First the caches, then the word that they are fresh.
            forget(notes.map(\.record), complete: complete)
            state.withLock { state in
                state.clock = (now, at)
                state.freshness.heardAt = at
                state.freshness.failedAt = nil
                if let last = notes.last { state.lastChange = last.id }
            }
        } catch {
            state.withLock { $0.freshness.failedAt = .now }
        }
    }

    /// Forgets what was changed; records are noted by their identities' tags.
    private func forget(_ tags: [String], complete: Bool) {
        accounts.withLock { $0.forget(tags.filter { $0.hasPrefix("a:") }, complete: complete) }
        keys.withLock { $0.forget(tags.filter { $0.hasPrefix("k:") }, complete: complete) }
    }

    /// The notes since the last look, and whether none can have been missed.
    private func changes() async throws -> (notes: [(id: String, record: String)], complete: Bool) {
        guard let last = state.withLock({ $0.lastChange }) else {
            let newest = try await notes(["XREVRANGE", store.keys.changes, "+", "-", "COUNT", "1"])
            // What was read before the first look may have been changed before it.
            return (newest.isEmpty ? [("0-0", "")] : newest.map { ($0.id, "") }, false)
        }
        var all: [(id: String, record: String)] = []
        var from = last
        while true {
            let page = try await notes(["XRANGE", store.keys.changes, "(\(from)", "+", "COUNT", "1000"])
            all += page
            guard page.count == 1_000, let next = page.last?.id, all.count < 20_000 else { break }
            from = next
        }
        // The stream keeps about 10,000 notes: with as many at once, some may have been dropped.
        return (all, all.count < 5_000)
    }

    private func notes(_ command: [String]) async throws -> [(id: String, record: String)] {
        (try await store.redis.command(command).elements ?? []).compactMap { note in
            guard let parts = note.elements, parts.count == 2, let id = parts[0].text else { return nil }
            return (id, parts[1].elements?.last?.text ?? "")
        }
    }

    /// Writes when keys were last used; what cannot be written is written next time.
    func writeUses() async {
        let used = state.withLock { state in
            defer { state.used = [] }
            return state.used
        }
        guard !used.isEmpty, let now = estimatedTime else { return }
        do {
            try await store.noteUse(of: used.sorted(), at: now)
        } catch {
            state.withLock { state in
                if state.used.count < AccountDirectory.mostUsed { state.used.formUnion(used) }
            }
        }
    }
}
