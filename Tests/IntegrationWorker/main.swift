// One of several processes that share a limit: makes requests through the library as fast as it can, and prints each
// decision as `<Redis' microseconds> <allowed|denied|unavailable|degraded>`; for concurrency, `<from> held <until>`. With cold
// accounts, every second request is for one of those in turn, by a limit of 10 instead of 1,000: `<time> <outcome> 0 <account>`.
//
//     IntegrationWorker URL ALGORITHM ACCOUNT ATTEMPTS TASKS [COLD]

import Foundation
import Headgate
import HeadgateRedis
import Synchronization

/// The limits that the tests know: so many units an hour, or 5 slots.
func limit(_ name: String, _ units: Int64 = 1_000) throws -> Limit {
    let hour: Duration = .seconds(3_600)
    let algorithm: Algorithm =
        switch Algorithm.Name(rawValue: name) {
        case .slidingWindowLog: try .slidingWindowLog(units, per: hour)
        case .tokenBucket: try .tokenBucket(units, per: hour)
        case .fixedWindow: try .fixedWindow(units, per: hour)
        case .slidingWindowCounter: try .slidingWindowCounter(units, per: hour)
        case .concurrency: try .concurrency(5, timeToLive: .seconds(10))
        case nil: throw LimiterError(.badRequest, "no algorithm \(name)")
        }
    return try Limit("shared", algorithm)
}

final class Output: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    func add(_ decision: Decision, _ more: String = "") {
        let outcome = decision.isDegraded ? "degraded" : decision.outcome.rawValue
        add("\(decision.time?.microseconds ?? 0) \(outcome) \(more)")
    }

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
guard [6, 7].contains(arguments.count), let attempts = Int(arguments[4]), let tasks = Int(arguments[5]) else {
    fatalError("expected URL ALGORITHM ACCOUNT ATTEMPTS TASKS [COLD]")
}
let coldCount = arguments.count > 6 ? Int(arguments[6]) ?? 0 : 0
var configuration = try RedisConfiguration(url: arguments[1])
// The machine may be busy with three of us; what is tested is the count.
configuration.deadline = .seconds(5)
let store = try RedisStore(configuration)
let limiter = Limiter(store: store)
let shared = try limit(arguments[2])
let small = try limit(arguments[2], 10)
let identity = try Identity(.account, arguments[3])
let cold = try (0..<coldCount).map { try Identity(.account, "\(arguments[3])-\($0)") }
let output = Output()
let next = Atomic(0)

try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await store.run() }
    try await withThrowingTaskGroup(of: Void.self) { callers in
        for _ in 0..<tasks {
            callers.addTask {
                while true {
                    let number = next.add(1, ordering: .relaxed).oldValue
                    guard number < attempts else { return }
                    if !cold.isEmpty, number.isMultiple(of: 2) {
                        let one = cold[number / 2 % cold.count]
                        output.add(try await limiter.acquire(for: one, limits: [small]), "0 \(one)")
                        continue
                    }
                    let decision = try await limiter.acquire(for: identity, limits: [shared])
                    if case .concurrency = shared.algorithm, decision.isAllowed {
                        try await hold(decision, limiter, output)
                    } else {
                        output.add(decision)
                    }
                }
            }
        }
        try await callers.waitForAll()
    }
    group.cancelAll()
}
output.write()
