import EmbeddedRedis
import Headgate
import HeadgateRedis
import Logging
import ServiceLifecycle
import Synchronization

@testable import HeadgateUsage

extension StoreTime {
    /// 2026-11-24T21:45:00Z.
    static let sample = StoreTime(microseconds: 1_795_556_700_000_000)

    /// The instant of a timestamp.
    static func at(_ text: String) throws -> StoreTime {
        guard let time = StoreTime(rfc3339: text) else { throw LimiterError(.badRequest, "no time: \(text)") }
        return time
    }
}

extension Identity {
    static func acme() throws -> Identity { try Identity(.account, "acme") }
}

/// A decision on the class `write` and, when named, an endpoint, which is the limit that denies.
func decision(
    _ outcome: Decision.Outcome = .allowed,
    class operationClass: String = "write",
    endpoint: String? = nil,
    at time: StoreTime? = .sample,
    degraded: Bool = false
) throws -> Decision {
    let algorithm = try Algorithm.fixedWindow(10, per: .seconds(60))
    let denies = outcome == .denied
    var limits = [
        LimitStatus(
            id: operationClass,
            name: operationClass,
            role: .operationClass,
            verdict: denies && endpoint == nil ? .denied : .allowed,
            algorithm: algorithm,
            remaining: 5,
            retryAfter: .seconds(1)
        )
    ]
    if let endpoint {
        limits.append(
            LimitStatus(
                id: endpoint,
                name: endpoint,
                role: .endpoint,
                verdict: denies ? .denied : .allowed,
                algorithm: algorithm,
                remaining: 5,
                retryAfter: .seconds(1)
            )
        )
    }
    return Decision(
        outcome: outcome,
        limits: limits,
        time: degraded ? nil : time,
        degradation: degraded ? LimiterError(.connect, "away") : nil
    )
}

/// The batches that a recorder sent, and what to answer.
final class Sink: Sendable {
    private let state = Mutex<(commands: [[String]], error: LimiterError?)>(([], nil))

    var commands: [[String]] { state.withLock { $0.commands } }

    func answer(with error: LimiterError?) { state.withLock { $0.error = error } }

    func send(_ command: [String]) throws(LimiterError) {
        let error = state.withLock { state in
            state.commands.append(command)
            return state.error
        }
        if let error { throw error }
    }

    /// What was added to the minute hashes, by field.
    var sums: [String: Int64] {
        commands.reduce(into: [:]) { sums, command in
            for index in stride(from: 9, to: command.count, by: 2) { sums[command[index], default: 0] += Int64(command[index + 1]) ?? 0 }
        }
    }
}

/// Runs a body while a store of a server runs.
func withStore<Result: Sendable>(
    _ server: RedisServer,
    _ body: @Sendable (RedisStore) async throws -> Result
) async throws -> Result {
    let store = try RedisStore.of(server)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(store)) } catch { result = .failure(error) }
        group.cancelAll()
        try await group.waitForAll()
        return try result.get()
    }
}

extension RedisStore {
    /// A store for tests on a busy machine.
    static func of(_ server: RedisServer) throws -> RedisStore {
        var configuration = try RedisConfiguration(url: server.url)
        configuration.deadline = .seconds(5)
        return try RedisStore(configuration)
    }

    /// The keys of a pattern.
    func keys(_ pattern: String = "hg:{a:*") async throws -> [String] {
        (try await command(["KEYS", pattern]).elements ?? []).compactMap(\.text).sorted()
    }

    /// A number that a hash holds.
    func number(_ key: String, _ field: String) async throws -> Int64? {
        try await command(["HGET", key, field]).text.flatMap { Int64($0) }
    }

    /// How often commands ran, by name, apart from the one that asks; scripts' own commands count too.
    func calls() async throws -> [String: Int] {
        let lines = (try await command(["INFO", "commandstats"]).text ?? "").split(whereSeparator: \.isNewline)
        return lines.reduce(into: [:]) { calls, line in
            let parts = line.split(separator: ":")
            guard parts.count == 2, parts[0].hasPrefix("cmdstat_"), parts[0] != "cmdstat_info" else { return }
            calls[String(parts[0].dropFirst("cmdstat_".count))] = Int(parts[1].dropFirst("calls=".count).prefix { $0.isNumber })
        }
    }
}

/// Runs services until the body is done, then shuts them down gracefully.
func withServices(_ services: [any Service], _ body: @Sendable () async throws -> Void) async throws {
    let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: quiet))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        try await body()
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

/// Waits until something is so, at most a few seconds.
func eventually(within limit: Duration = .seconds(5), _ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}
