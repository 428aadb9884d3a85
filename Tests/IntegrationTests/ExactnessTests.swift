import Foundation
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@Suite("Several processes share one exact count", .serialized, .exclusive)
struct ExactnessTests {
    @Test("Three servers and 48 clients admit exactly 1,000 of an account's requests, over and over")
    func servers() async throws {
        try await withTestRedis { url in
            let servers = [
                try await TestServer.start(redis: url, "--deadline", "5s"), try await TestServer.start(redis: url, "--deadline", "5s"),
                try await TestServer.start(redis: url, "--deadline", "5s"),
            ]
            for _ in 0..<3 {
                let account = freshAccount()
                let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                    for client in 0..<48 {
                        group.addTask {
                            try await servers[client % 3].connect { connection in
                                var statuses: [Int] = []
                                for _ in 0..<25 {
                                    let answer = try await connection.authorize("GET", "/v2/projects/7", account: account, tier: "pro")
                                    #expect(answer.headers[.degraded] == nil)
                                    statuses.append(answer.status.code)
                                }
                                return statuses
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(statuses.filter { $0 == 200 }.count == 1_000)
                #expect(statuses.filter { $0 == 429 }.count == 200)
            }
        }
    }

    /// One decision as a worker saw it: when by Redis' time, what, until when, and for which cold account.
    typealias Event = (time: Int64, what: String, until: Int64, account: String)

    /// What three workers together saw, in the order of Redis' time.
    static func work(_ algorithm: String, attempts: Int, tasks: Int, cold: Int = 0) async throws -> [Event] {
        try await withTestRedis { url in
            let account = freshAccount()
            let workers = try (0..<3).map { _ in
                try Executable("IntegrationWorker", [url, algorithm, account, String(attempts), String(tasks), String(cold)])
            }
            var events: [Event] = []
            for worker in workers {
                let status = try await worker.end(within: .seconds(120))
                guard status == 0 else { throw Unexpected(what: worker.printed.suffix(5).joined(separator: "\n")) }
                for line in worker.printed {
                    let parts = line.split(separator: " ")
                    let until = parts.count > 2 ? Int64(parts[2]) ?? 0 : 0
                    events.append((Int64(parts[0]) ?? 0, String(parts[1]), until, parts.count > 3 ? String(parts[3]) : ""))
                }
            }
            #expect(events.count == 3 * attempts)
            #expect(!events.contains { $0.what == "degraded" || $0.what == "unavailable" })
            return events.sorted { $0.time < $1.time }
        }
    }

    @Test("A log admits exactly its limit")
    func log() async throws {
        let events = try await Self.work("sliding_window_log", attempts: 600, tasks: 16)
        #expect(events.filter { $0.what == "allowed" }.count == 1_000)
    }

    @Test("A hot account and 80 cold ones beside it, merged, packed and denied from memory, are admitted exactly their limits")
    func hotAndCold() async throws {
        let events = try await Self.work("sliding_window_log", attempts: 4_800, tasks: 64, cold: 80)
        let accounts = Dictionary(grouping: events.filter { $0.what == "allowed" }, by: \.account)
        #expect(accounts.count == 81)
        for (account, admitted) in accounts { #expect(admitted.count == (account.isEmpty ? 1_000 : 10), "\(account)") }
    }

    @Test("A bucket admits its burst and what has refilled, by the times of the decisions")
    func bucket() async throws {
        let events = try await Self.work("token_bucket", attempts: 600, tasks: 16)
        let hour: Int64 = 3_600_000_000
        // The leaky form, in units of 1 / hour: exact in integers.
        var level: Int64 = 0
        var last = events[0].time
        for event in events where event.what == "allowed" {
            level = max(0, level - (event.time - last) * 1_000) + hour
            last = event.time
            #expect(level <= 1_000 * hour)
        }
        let end = events[events.count - 1].time
        #expect(max(0, level - (end - last) * 1_000) > 999 * hour)
    }

    @Test("A fixed window admits exactly its limit in each window")
    func fixedWindow() async throws {
        let events = try await Self.work("fixed_window", attempts: 600, tasks: 16)
        for (_, window) in Dictionary(grouping: events, by: { $0.time / 3_600_000_000 }) {
            #expect(window.filter { $0.what == "allowed" }.count == min(1_000, window.count))
        }
    }

    @Test("A counter keeps its bound and denies only by its estimate")
    func counter() async throws {
        let events = try await Self.work("sliding_window_counter", attempts: 600, tasks: 16)
        let windows = Dictionary(grouping: events, by: { $0.time / 3_600_000_000 })
        for (_, window) in windows { #expect(window.filter { $0.what == "allowed" }.count <= 1_000) }
        let admitted = events.filter { $0.what == "allowed" }.count
        #expect(admitted <= 2_000)
        if windows.count == 1 { #expect(admitted == 1_000) }
    }

    @Test("No more slots are held at once than there are, and all of them are used")
    func concurrency() async throws {
        let events = try await Self.work("concurrency", attempts: 400, tasks: 8).filter { $0.what == "held" }
        // Held for certain from the grant, by Redis' time, to the moment before the release is sent, by the same machine's.
        let edges = events.flatMap { [($0.time, 1), ($0.until, -1)] }.sorted { $0 < $1 }
        var held = 0
        var most = 0
        for (_, change) in edges {
            held += change
            most = max(most, held)
        }
        #expect(most <= 5)
        #expect(most >= 3)
        #expect(events.count > 50)
    }
}
