import Headgate
import NIOCore
import Synchronization

@testable import HeadgateRedis

/// A configuration for tests on a busy machine.
///
/// Denials are not remembered: who watches for what others gave back sends commands of his own, which a fake server answers
/// out of turn.
func configuration(_ socket: String, deadline: Duration = .milliseconds(1_000), connections: Int = 2) -> RedisConfiguration {
    RedisConfiguration(
        topology: .standalone(.unixSocket(path: socket)),
        credentials: PrivateRedis.leastPrivileged,
        connections: connections,
        deadline: deadline,
        rememberedDenials: 0
    )
}

/// Runs a body while a store runs; `run()` ends by cancellation.
func withStore<Result: Sendable>(
    _ configuration: RedisConfiguration,
    _ body: @Sendable (RedisStore) async throws -> Result
) async throws -> Result {
    let store = try RedisStore(configuration)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.run() }
        // A busy machine may take longer to begin than the deadline of the first call.
        while !store.isStarted.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(1)) }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(store)) } catch { result = .failure(error) }
        group.cancelAll()
        try await group.waitForAll()
        return try result.get()
    }
}

/// Waits until something is so, at most a few seconds.
func eventually(within limit: Duration = .seconds(5), _ condition: () async throws -> Bool) async throws -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while clock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

extension Charge {
    /// A unit of a large fixed window: its count says how often it was charged.
    static func counted(_ name: String, limit: Int64 = 1_000_000_000) throws -> Charge {
        Charge(try Limit("count", .fixedWindow(limit, per: .seconds(86_400))), identity: try Identity(.account, name))
    }

    /// A slot.
    static func slot(_ name: String, of slots: Int64 = 10_000, timeToLive: Duration = .seconds(30)) throws -> Charge {
        Charge(try Limit("slots", .concurrency(slots, timeToLive: timeToLive)), identity: try Identity(.account, name))
    }
}

extension RedisStore {
    /// One decision on one charge.
    func take(_ charge: Charge, leaseID: String = "") async throws(LimiterError) -> Verdict {
        let reply = try await decide([StoreDecision(charges: [charge], leaseID: leaseID)])
        guard let verdict = reply.verdicts.first else { throw LimiterError(.wireProtocol, "no verdict") }
        return verdict
    }

    /// Units used of a counted charge.
    func used(_ charge: Charge) async throws(LimiterError) -> Int64 {
        var look = charge
        look.effect = .observe
        guard let reading = try await take(look).readings.first else { return -1 }
        return charge.limit.algorithm.capacity - reading.remaining
    }
}

/// Counts outcomes by name, from many tasks.
final class Tally: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }

    subscript(_ name: String) -> Int { counts.withLock { $0[name] ?? 0 } }

    var all: [String: Int] { counts.withLock { $0 } }
}
