import EmbeddedRedis
import Headgate
import HeadgatePolicy
import HeadgateRedis
import HeadgateTesting
import HeadgateYAML
import Synchronization
import Testing

@testable import HeadgateAccounts

/// A small policy with tiers, a custom one, permissions, boosts and priorities.
let policyText = """
    name: test
    classes:
      read: [GET /**]
      write: ["* /**"]
    tiers:
      free: { limits: { read: 5/hour, write: 2/hour }, concurrency: 1 }
      pro: { limits: { read: 100/hour, write: 50/hour }, concurrency: 2 }
      enterprise: { limits: { read: custom, write: unlimited } }
    default_tier: free
    endpoints:
      - { match: POST /clusters, limit: 1/hour }
    limits:
      keyed: { limit: 1000/day, per: key }
    permissions:
      read-only: { limits: { write: 0 } }
      slow: { limits: { read: 10/day } }
    boosts: { max_multiplier: 3, max_duration: 2d, per_month: 2 }
    """

let alice = Actor("cli alice")
let bob = Actor("cli bob")

/// What a test has: a server, a store that runs, and the records in it.
struct Bench: Sendable {
    let server: RedisServer
    let redis: RedisStore
    let accounts: AccountStore
}

/// Runs a test with accounts in a redis-server of its own.
func withBench(
    deadline: Duration = .seconds(5),
    policy: String? = policyText,
    _ test: @escaping @Sendable (Bench) async throws -> Void
) async throws {
    let policy = try policy.map { try Policy(yaml: $0) }
    try await withRedisServer { server in
        try await withStore(server, deadline: deadline) { redis in
            try await test(Bench(server: server, redis: redis, accounts: AccountStore(redis, policy: policy)))
        }
    }
}

/// Runs a body while a store of a server runs: another instance's.
func withStore<Result: Sendable>(
    _ server: RedisServer,
    deadline: Duration = .seconds(5),
    _ body: @Sendable (RedisStore) async throws -> Result
) async throws -> Result {
    var configuration = try RedisConfiguration(url: server.url)
    configuration.deadline = deadline
    let store = try RedisStore(configuration)
    return try await withRunning({ try await store.run() }) { try await body(store) }
}

/// Runs a body while a directory of another instance runs, with a store of its own.
func withDirectory<Result: Sendable>(
    _ bench: Bench,
    deadline: Duration = .seconds(5),
    _ body: @Sendable (AccountDirectory) async throws -> Result
) async throws -> Result {
    try await withStore(bench.server, deadline: deadline) { redis in
        let directory = AccountDirectory(AccountStore(redis, policy: bench.accounts.policy))
        return try await withRunning({ try await directory.run() }) { try await body(directory) }
    }
}

/// Runs a body while a service runs, which is cancelled afterwards.
private func withRunning<Result: Sendable>(
    _ service: @escaping @Sendable () async throws -> Void,
    _ body: () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await service() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        group.cancelAll()
        try? await group.waitForAll()
        return try result.get()
    }
}

/// Waits until something is so; returns how long it took, or nil when it was not so in time.
func time(until condition: () async throws -> Bool, atMost limit: Duration = .seconds(10)) async throws -> Duration? {
    let start = ContinuousClock.now
    while ContinuousClock.now - start < limit {
        if try await condition() { return ContinuousClock.now - start }
        try await Task.sleep(for: .milliseconds(2))
    }
    return nil
}

/// Expects something to come true within a second of now.
func expectWithinASecond(
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let taken = try await time(until: condition)
    let comment: Comment = "\(comment?.rawValue ?? "a change"): \(taken.map { "\($0)" } ?? "never")"
    #expect(taken.map { $0 < .seconds(1) } ?? false, comment, sourceLocation: sourceLocation)
}

/// Expects a body to throw an error of accounts, of a field when one is given.
@discardableResult
func expect<Result>(
    _ code: AccountError.Code,
    field: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Result
) async -> AccountError? {
    do {
        _ = try await body()
        Issue.record("nothing was thrown; expected \(code)", sourceLocation: sourceLocation)
    } catch let error as AccountError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        if let field { #expect(error.field == field, "\(error)", sourceLocation: sourceLocation) }
        return error
    } catch {
        Issue.record("\(error); expected \(code)", sourceLocation: sourceLocation)
    }
    return nil
}

extension AccountOverride {
    /// An override as one writes it.
    static func of(_ text: String, until: StoreTime? = nil, reason: String = "") throws -> AccountOverride {
        AccountOverride(try LimitOverride(text: text), until: until, reason: reason)
    }
}

extension RedisStore {
    /// The fields of a hash.
    func fields(_ key: String) async throws -> [String: String] { try await hash(key) }

    /// Everything that Redis holds, as one text: all keys, and all that stands under them.
    func everything() async throws -> String {
        let names = (try await command(["KEYS", "*"]).elements ?? []).compactMap(\.text).sorted()
        var texts: [String] = []
        for name in names {
            let type = try await command(["TYPE", name]).text ?? ""
            let reading =
                switch type {
                case "hash": ["HGETALL", name]
                case "set": ["SMEMBERS", name]
                case "stream": ["XRANGE", name, "-", "+"]
                case "list": ["LRANGE", name, "0", "-1"]
                case "zset": ["ZRANGE", name, "0", "-1", "WITHSCORES"]
                default: ["GET", name]
                }
            texts.append("\(name) \(type) \(try await command(reading).flat)")
        }
        return texts.joined(separator: "\n")
    }
}

extension RedisValue {
    /// All texts and numbers of a reply.
    fileprivate var flat: String {
        switch self {
        case .integer(let number): String(number)
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null: "null"
        case .array(let elements): elements.map(\.flat).joined(separator: " ")
        case .failure(let fault): "failure \(fault.text)"
        }
    }
}

extension AccountDirectory {
    /// Whether it hears of changes.
    var hears: Bool { state.withLock { $0.freshness.heardAt != nil } }
    /// When Redis last gave it no answer.
    var failedAt: ContinuousClock.Instant? { state.withLock { $0.freshness.failedAt } }
    /// The newest note of a change that it has looked at.
    var lastChange: String? { state.withLock { $0.lastChange } }
    /// Keys whose use is not written yet.
    var used: Set<String> { state.withLock { $0.used } }
    /// How many openings it remembers.
    var openings: Int { state.withLock { $0.opened.count } }
    /// How many records it holds.
    var held: Int { accounts.withLock { $0.count } + keys.withLock { $0.count } }
}
