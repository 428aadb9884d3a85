// A program that makes many calls through the polite client, and prints how they went: `<jobs> done <lost> lost <answers> answers
// <429s> refused <seconds> seconds`. With a Redis it shares the pace with its like.
//
// CLIENT_TRACE in the environment makes it print each answer.
//
//     ClientWorker URL KEY JOBS TASKS given|learnt [REDIS PACE]

import AsyncHTTPClient
import Foundation
import Headgate
import HeadgateClient
import HeadgateRedis
import NIOCore
import NIOHTTP1
import Synchronization

final class Tally: ClientDelegate {
    let next = Atomic(0)
    let done = Atomic(0)
    let lost = Atomic(0)
    let answers = Atomic(0)
    let refused = Atomic(0)

    func didEnd(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        guard case .answered(let status, let quotas, let retryAfter) = outcome else { return }
        answers.add(1, ordering: .relaxed)
        if trace {
            let limits = quotas.map { "\($0.limit ?? 0) \($0.remaining) \($0.reset ?? .zero)" }
            print(start.duration(to: .now), attempt.waited, status, limits)
        }
        guard status == 429 else { return }
        refused.add(1, ordering: .relaxed)
        print("429: \(quotas) \(retryAfter.map { "\($0)" } ?? "")")
    }
}

let arguments = CommandLine.arguments
let start = ContinuousClock.now
let trace = ProcessInfo.processInfo.environment["CLIENT_TRACE"] != nil
guard arguments.count >= 6, let jobs = Int(arguments[3]), let tasks = Int(arguments[4]) else {
    fatalError("expected URL KEY JOBS TASKS given|learnt [REDIS PACE]")
}
let tally = Tally()
var configuration = ClientConfiguration()
if arguments[5] == "given" { configuration.pacing.concurrency = .atMost(2) }

/// Makes the calls.
func work(_ configuration: ClientConfiguration) async {
    let client = PoliteClient(configuration: configuration, delegate: tally)
    let start = ContinuousClock.now
    await withTaskGroup(of: Void.self) { group in
        for _ in 0..<tasks {
            group.addTask {
                while true {
                    let job = tally.next.add(1, ordering: .relaxed).oldValue
                    guard job < jobs else { return }
                    var request = HTTPClientRequest(url: "\(arguments[1])/jobs/\(job)")
                    request.headers.add(name: "Authorization", value: "Bearer \(arguments[2])")
                    do {
                        let response = try await client.execute(request, timeout: .seconds(120))
                        _ = try await response.body.collect(upTo: 65_536)
                        if response.status == .ok { tally.done.add(1, ordering: .relaxed) } else { tally.lost.add(1, ordering: .relaxed) }
                    } catch {
                        print("lost: \(error)")
                        tally.lost.add(1, ordering: .relaxed)
                    }
                }
            }
        }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(
        "\(tally.done.load(ordering: .relaxed)) done \(tally.lost.load(ordering: .relaxed)) lost",
        "\(tally.answers.load(ordering: .relaxed)) answers \(tally.refused.load(ordering: .relaxed)) refused \(seconds) seconds"
    )
}

if arguments.count == 8 {
    var redis = try RedisConfiguration(url: arguments[6])
    redis.deadline = .seconds(5)
    let store = try RedisStore(redis)
    // A little longer than the server's window: a request is counted here before it is counted there.
    let limits = [
        try Limit("requests", .slidingWindowLog(20, per: .milliseconds(6_100))),
        try Limit("concurrency", .concurrency(2, timeToLive: .seconds(30))),
    ]
    configuration.pacing.sharing = .shared(try LimiterPace(Limiter(store: store), named: arguments[7], limits: limits))
    let shared = configuration
    await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await store.run() }
        await work(shared)
        group.cancelAll()
    }
} else {
    await work(configuration)
}
