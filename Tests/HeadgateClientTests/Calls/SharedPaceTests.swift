import AsyncHTTPClient
import Headgate
import HeadgateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import HeadgateClient

@Suite("A pace that is shared")
struct SharedPaceTests {
    @Test("Two clients of one limiter keep to its limits together", .timeLimit(.minutes(1)))
    func together() async throws {
        let clock = ManualClock()
        let limiter = Limiter.inMemory(clock: clock)
        let limits = [
            try Limit("requests", .slidingWindowLog(10, per: .seconds(10))), try Limit("slots", .concurrency(2, timeToLive: .seconds(30))),
        ]
        let pace = try LimiterPace(limiter, named: "a", limits: limits)
        let times = Mutex<[Duration]>([])
        let server = PlayedServer { _, _ in
            times.withLock { $0.append(clock.now.sinceStart) }
            return HTTPClientResponse(.ok)
        }
        let clients = (0..<2).map { _ in PoliteClient(server, clock) { $0.pacing.sharing = .shared(pace) } }
        try await clock.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<30 {
                    group.addTask { _ = try await clients[index % 2].get("/a", timeout: .minutes(30)).text() }
                }
                try await group.waitForAll()
            }
        }
        let sent = times.withLock { $0.sorted() }
        #expect(sent.count == 30)
        // 10 at once, 10 more after 10 s, the last 10 after 20 s.
        #expect(sent[10] >= .seconds(10) && sent[20] >= .seconds(20))
    }

    @Test("A pace never counts on what a server counts on, whatever their names", arguments: Identity.Kind.allCases)
    func apart(kind: Identity.Kind) async throws {
        let limiter = Limiter.inMemory(clock: ManualClock())
        let limits = [try Limit("requests", .slidingWindowLog(1, per: .seconds(10)))]
        let pace = try LimiterPace(limiter, named: "acme", limits: limits)
        guard case .granted = try await pace.turn(waitingAtMost: .zero) else { return #expect(Bool(false)) }
        // A policy makes accounts, keys, addresses and everybody; of the same name and limit, none has been charged.
        let isCharged = try await limiter.acquire(for: Identity(kind, "acme"), limits: limits).outcome == .denied
        #expect(isCharged == (kind == .pace))
    }

    @Test("No request names a pace as its subject: what a server reads are names, of kinds that it chooses")
    func unnamed() throws {
        for kind in Identity.Kind.allCases where kind != .pace {
            for name in ["p:acme", "acme", "p", ":acme", "}:x", "#"] {
                #expect(try Identity(kind, name).tag.first == kind.rawValue.first)
                #expect(try Identity(kind, name) != Identity(.pace, "acme"))
            }
        }
    }

    @Test("A pace that does not answer is left at the deadline, and a turn that it gives too late is given back", .timeLimit(.minutes(1)))
    func late() async throws {
        /// Hangs until it is cancelled, and then grants all the same.
        struct Late: SharedPace {
            let clock: ManualClock
            let ended = Promise<Void>()
            func turn(waitingAtMost longest: Duration) async throws -> PaceTurn {
                try? await clock.sleep(for: .seconds(1_000_000))
                return .granted { ended.settle(.success(())) }
            }
        }
        let clock = ManualClock()
        let pace = Late(clock: clock)
        let server = PlayedServer { _, _ in HTTPClientResponse(.ok) }
        let client = PoliteClient(server, clock) { $0.pacing.sharing = .shared(pace) }
        let error = try await clock.run { await failure { try await client.get("/a", timeout: .seconds(3)) } }
        #expect(error?.code == .deadlineExceeded && error?.attempts == 0)
        try await pace.ended.value()
        #expect(server.requests.isEmpty && client.waiting == 0)
    }

    @Test("A pace that has no room in time refuses, with the time at which it has, and keeps no slot", .timeLimit(.minutes(1)))
    func denied() async throws {
        struct Full: SharedPace {
            func turn(waitingAtMost longest: Duration) async throws -> PaceTurn { .denied(retryAfter: .seconds(90)) }
        }
        let server = PlayedServer { _, _ in HTTPClientResponse(.ok) }
        let client = PoliteClient(server, ManualClock()) { $0.pacing.sharing = .shared(Full()) }
        for _ in 0..<5 {
            let error = await failure { try await client.get("/a") }
            #expect(error?.code == .rateLimited && error?.retryAfter == .seconds(90))
        }
        #expect(server.requests.isEmpty)
    }

    @Test("A pace that cannot be asked is a clear error, and nothing is sent")
    func away() async throws {
        struct Away: SharedPace {
            func turn(waitingAtMost longest: Duration) async throws -> PaceTurn { throw LimiterError(.connect, "no Redis") }
        }
        let server = PlayedServer { _, _ in HTTPClientResponse(.ok) }
        let client = PoliteClient(server, ManualClock()) { $0.pacing.sharing = .shared(Away()) }
        #expect(await failure { try await client.get("/a") }?.code == .sharedPace)
        #expect(server.requests.isEmpty)
    }
}
