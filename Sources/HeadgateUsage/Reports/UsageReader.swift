public import Headgate
public import HeadgateRedis

/// Reads what recorders have counted, of all instances together.
public struct UsageReader: Sendable {
    private let store: RedisStore

    /// How long a reply may take; a report is no decision.
    private static let deadline: Duration = .seconds(1)

    /// Creates a reader of a running store.
    public init(_ store: RedisStore) { self.store = store }

    /// What an account did in a period that ends now, by Redis' clock, or that lies between two instants.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when nothing is kept of the period's beginning; another code when Redis gave no
    ///   answer.
    public func report(for identity: Identity, period: UsagePeriod) async throws(LimiterError) -> UsageReport {
        try await report(for: identity, period: period, now: try await now())
    }

    /// What an account did in a period, as seen at an instant.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when nothing is kept of the period's beginning; another code when Redis gave no
    ///   answer.
    public func report(for identity: Identity, period: UsagePeriod, now: StoreTime) async throws(LimiterError) -> UsageReport {
        let buckets = try UsageBuckets(period, at: now)
        let prefix = store.configuration.keyPrefix
        let keys = buckets.starts.map { buckets.resolution.key(of: identity, at: $0, prefix: prefix) }
        var report = UsageReport(from: buckets.starts.first ?? now, to: buckets.end, resolution: buckets.resolution)
        for (start, hash) in zip(buckets.starts, await hashes(keys)) { report.append(start, try hash.get()) }
        return report
    }

    /// Redis' time.
    ///
    /// - Throws: ``LimiterError`` when Redis gave no answer.
    public func now() async throws(LimiterError) -> StoreTime {
        let reply = try await store.command(["TIME"], within: UsageReader.deadline)
        let numbers = (reply.elements ?? []).compactMap { $0.text.flatMap { Int64($0) } }
        guard numbers.count == 2 else { throw LimiterError(.wireProtocol, "Redis' TIME is not two numbers") }
        return StoreTime(microseconds: numbers[0] * 1_000_000 + numbers[1])
    }

    private typealias Hash = [(name: String, value: String)]

    /// The hashes under some keys, asked for together.
    private func hashes(_ keys: [String]) async -> [Result<Hash, LimiterError>] {
        await withTaskGroup(of: (Int, Result<Hash, LimiterError>).self) { group in
            for (index, key) in keys.enumerated() { group.addTask { (index, await hash(key)) } }
            var hashes = [Result<Hash, LimiterError>](repeating: .success([]), count: keys.count)
            for await (index, hash) in group { hashes[index] = hash }
            return hashes
        }
    }

    private func hash(_ key: String) async -> Result<Hash, LimiterError> {
        do throws(LimiterError) {
            let texts = try await store.command(["HGETALL", key], within: UsageReader.deadline).elements ?? []
            return .success(
                stride(from: 0, to: texts.count - 1, by: 2).compactMap { index in
                    guard let name = texts[index].text, let value = texts[index + 1].text else { return nil }
                    return (name, value)
                }
            )
        } catch {
            // What is no hash is not ours.
            return error.code == .badRequest ? .success([]) : .failure(error)
        }
    }
}
