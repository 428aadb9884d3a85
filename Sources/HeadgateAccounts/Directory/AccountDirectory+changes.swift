internal import Headgate
internal import HeadgateRedis
public import ServiceLifecycle
internal import Synchronization

extension AccountDirectory: Service {
    /// How often it is written when keys were used.
    private static let useInterval: Duration = .seconds(10)
    /// The most uses that are written at once.
    private static let mostWrites = 64

    /// Looks at the changes, and writes when keys were used, until graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        await self.look()
                        try? await Task.sleep(for: Freshness.interval)
                    }
                }
                // Apart from the looks, which must not wait for it.
                group.addTask {
                    while (try? await Task.sleep(for: AccountDirectory.useInterval)) != nil { await self.writeUses() }
                }
            }
        }
        await writeUses()
    }

    /// Looks at what was changed since the last look, and forgets it.
    package func look() async {
        let at = ContinuousClock.now
        async let time = store.redis.time()
        // A Redis that tells the time and not the changes is there: then records are read anew, and not used on and on.
        let changes = try? await changes()
        guard let now = try? await time else {
            state.withLock { $0.freshness.failedAt = .now }
            return
        }
        // First the caches, then the word that they are fresh.
        if let changes { forget(changes.records, complete: changes.isComplete) }
        state.withLock { state in
            state.clock = (now, at)
            state.freshness.failedAt = nil
            guard let changes else { return }
            state.freshness.heardAt = changes.last == nil ? nil : at
            state.lastChange = changes.last
        }
    }

    /// Forgets what was changed; records are noted by their identities' tags.
    private func forget(_ tags: [String], complete: Bool) {
        accounts.withLock { $0.forget(tags.filter { $0.hasPrefix("a:") }, complete: complete) }
        keys.withLock { $0.forget(tags.filter { $0.hasPrefix("k:") }, complete: complete) }
    }

    /// What a look at the changes finds.
    private struct Changes {
        /// The records that were changed since the last look.
        var records: [String] = []
        /// The newest note; `nil` when there is none to go on from, and then nothing can be said to be unchanged.
        var last: String?
        /// Whether no note can have been missed.
        var isComplete = true
    }

    private func changes() async throws -> Changes {
        guard let last = state.withLock({ $0.lastChange }) else {
            let newest = try await notes(["XREVRANGE", store.keys.changes, "+", "-", "COUNT", "1"]).first
            // What was read before the first look may have been changed before it.
            return Changes(last: newest?.id, isComplete: newest == nil)
        }
        var changes = Changes(last: last)
        var from = last
        while true {
            let page = try await notes(["XRANGE", store.keys.changes, from, "+", "COUNT", "1000"])
            // While the note that is known stands there, none behind it is gone: streams are cut at their beginning.
            guard page.first?.id == from, let next = page.last?.id else { return Changes(isComplete: false) }
            changes.records += page.dropFirst().map(\.record)
            changes.last = next
            guard page.count == 1_000, changes.records.count < 20_000 else { return changes }
            from = next
        }
    }

    private func notes(_ command: [String]) async throws -> [(id: String, record: String)] {
        (try await store.redis.command(command).elements ?? []).compactMap { note in
            guard let parts = note.elements, parts.count == 2, let id = parts[0].text else { return nil }
            return (id, parts[1].elements?.last?.text ?? "")
        }
    }

    /// Writes when keys were last used; what cannot be written is written next time.
    func writeUses() async {
        var waiting = state.withLock { state in
            defer { state.used = [] }
            return Array(state.used)[...]
        }
        guard let now = estimatedTime else { return putBack(waiting) }
        while !waiting.isEmpty {
            let some = waiting.prefix(AccountDirectory.mostWrites)
            let failed = await withTaskGroup(of: String?.self) { group in
                for key in some { group.addTask { (try? await self.store.noteUse(of: key, at: now)) == nil ? key : nil } }
                return await group.reduce(into: [String]()) { failed, key in if let key { failed.append(key) } }
            }
            putBack(failed)
            waiting = waiting.dropFirst(some.count)
            // When Redis takes none of them, it takes none of the rest.
            if failed.count == some.count { return putBack(waiting) }
        }
    }

    private func putBack(_ keys: some Sequence<String>) {
        state.withLock { state in
            for key in keys where state.used.count < AccountDirectory.mostUsed { state.used.insert(key) }
        }
    }
}
