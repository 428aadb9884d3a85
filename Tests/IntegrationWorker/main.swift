// One of several processes that share a limit: makes requests through the library as fast as it can, and prints each
// decision as `<Redis' microseconds> <allowed|denied|unavailable|degraded>`; for concurrency, `<from> held <until>`.
//
//     IntegrationWorker URL ALGORITHM ACCOUNT ATTEMPTS TASKS

import Foundation
import Headgate
import HeadgateRedis
import Synchronization

/// The limits that the tests know: 1,000 units an hour, or 5 slots.
func limit(_ name: String) throws -> Limit {
    let hour: Duration = .seconds(3_600)
    let algorithm: Algorithm =
        switch Algorithm.Name(rawValue: name) {
        case .slidingWindowLog: try .slidingWindowLog(1_000, per: hour)
        case .tokenBucket: try .tokenBucket(1_000, per: hour)
        case .fixedWindow: try .fixedWindow(1_000, per: hour)
        case .slidingWindowCounter: try .slidingWindowCounter(1_000, per: hour)
        case .concurrency: try .concurrency(5, timeToLive: .seconds(10))
        case nil: throw LimiterError(.badRequest, "no algorithm \(name)")
        }
    return try Limit("shared", algorithm)
}

final class Output: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    func write() { print(lines.withLock { $0.joined(separator: "\n") }) }
}

func hold(_ decision: Decision, _ limiter: Limiter, _ output: Output) async throws {
    guard let lease = decision.lease, let time = decision.time else { return output.add("0 \(decision.outcome.rawValue)") }
    try await Task.sleep(for: .milliseconds(Int.random(in: 0...3)))
    let until = Int64(Date().timeIntervalSince1970 * 1_000_000)
    output.add("\(time.microseconds) held \(until)")
    _ = try await limiter.release(lease)
}

let arguments = CommandLine.arguments
guard arguments.count == 6, let attempts = Int(arguments[4]), let tasks = Int(arguments[5]) else {
    fatalError("expected URL ALGORITHM ACCOUNT ATTEMPTS TASKS")
}
var configuration = try RedisConfiguration(url: arguments[1])
// The machine may be busy with three of us; what is tested is the count.
configuration.deadline = .seconds(5)
let store = try RedisStore(configuration)
let limiter = Limiter(store: store)
let shared = try limit(arguments[2])
let identity = try Identity(.account, arguments[3])
let output = Output()
let next = Atomic(0)

try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await store.run() }
    try await withThrowingTaskGroup(of: Void.self) { callers in
        for _ in 0..<tasks {
            callers.addTask {
                while next.add(1, ordering: .relaxed).oldValue < attempts {
                    let decision = try await limiter.acquire(for: identity, limits: [shared])
                    if case .concurrency = shared.algorithm, decision.isAllowed {
                        try await hold(decision, limiter, output)
                    } else {
                        let outcome = decision.isDegraded ? "degraded" : decision.outcome.rawValue
                        output.add("\(decision.time?.microseconds ?? 0) \(outcome)")
                    }
                }
            }
        }
        try await callers.waitForAll()
    }
    group.cancelAll()
}
output.write()
