import AsyncHTTPClient
import Headgate
import HeadgateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import HeadgateClient

@Suite("Waiting for a turn")
struct GateTests {
    private func gate(_ clock: ManualClock, slots: Int) -> Gate {
        var pacing = PacingConfiguration()
        pacing.concurrency = .atMost(slots)
        return Gate(Lanes(pacing: pacing, queue: QueueConfiguration()), clock: clock) { clock.now.sinceStart }
    }

    private func ticket(_ gate: Gate, _ priority: CallPriority = .normal, within time: Duration = .seconds(7_000)) -> Ticket {
        let number = gate.makeNumber()
        return Ticket(number: number, order: number, priority: priority, deadline: time)
    }

    @Test(
        "Whoever is cancelled whenever, all others have their turns and nothing is left behind",
        .timeLimit(.minutes(1)),
        arguments: 1...8
    )
    func anyCancellation(seed: Int) async throws {
        let clock = ManualClock()
        let gate = gate(clock, slots: 3)
        let generator = Mutex(Generator(seed: UInt64(seed)))
        let chance: @Sendable (ClosedRange<Int>) -> Int = { range in generator.withLock { Int.random(in: range, using: &$0) } }
        let call: @Sendable () async throws -> Void = {
            let pass = try await gate.pass(ticket(gate, CallPriority.allCases[chance(0...2)]), key: "k", route: "\(chance(0...2))")
            for _ in 0..<chance(0...3) { await Task.yield() }
            if chance(0...3) > 0 { pass.learn(Reading(status: 200, outcome: .served)) }
            pass.end()
        }
        let errors = try await clock.run(step: .milliseconds(5)) {
            await withTaskGroup(of: ClientError?.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        if index % 2 == 0 { return await failure(call) }
                        await Self.cancelled(after: chance(0...20), call)
                        return nil
                    }
                }
                return await group.reduce(into: [ClientError]()) { $0 += [$1].compactMap { $0 } }
            }
        }
        #expect(errors.isEmpty)
        #expect(gate.waiting == 0)
        #expect(gate.lane(of: "k")?.flights.isEmpty == true && gate.lane(of: "k")?.isIdle == true)
    }

    /// Runs a call and cancels it after so many steps.
    private static func cancelled(after steps: Int, _ call: @escaping @Sendable () async throws -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await call() }
            for _ in 0..<steps { await Task.yield() }
            group.cancelAll()
        }
    }

    @Test("Whoever has their turn as their time is up, or is cancelled already, does not take it", .timeLimit(.minutes(1)))
    func late() async throws {
        let clock = ManualClock()
        let gate = gate(clock, slots: 1)
        #expect(await failure { try await gate.pass(ticket(gate, within: .zero), key: "k", route: "r") }?.code == .deadlineExceeded)
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                #expect(await failure { try await gate.pass(ticket(gate), key: "k", route: "r") }?.code == .cancelled)
            }
        }
        // The slot is free at once: it was not used, so it does not rest.
        let pass = try await gate.pass(ticket(gate), key: "k", route: "r")
        #expect(gate.lane(of: "k")?.flights.count == 1)
        pass.end()
    }

    @Test("A bell that rings before somebody waits is heard, once")
    func bell() async {
        let bell = Bell()
        bell.ring()
        bell.ring()
        await bell.wait()
        let clock = ManualClock()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bell.wait(atMost: .seconds(1), by: clock) }
            try? await clock.waitForSleepers(1)
            bell.ring()
            await group.waitForAll()
        }
        #expect(clock.sleepers == 0)
    }

    @Test("What one API key has used up holds back no other key", .timeLimit(.minutes(1)))
    func keys() async throws {
        let server = PlayedServer { request, _ in
            request.headers["x-api-key"] == ["a"] ? HTTPClientResponse(.tooManyRequests, ["Retry-After": "600"]) : HTTPClientResponse(.ok)
        }
        let client = PoliteClient(server, ManualClock())
        func call(_ key: String) async throws -> HTTPClientResponse {
            var request = HTTPClientRequest(url: "http://api.test/a")
            request.headers.add(name: "X-API-Key", value: key)
            return try await client.execute(request, timeout: .seconds(60))
        }
        for _ in 0..<2 { #expect(await failure { try await call("a") }?.code == .rateLimited) }
        #expect(try await call("b").status == .ok)
        #expect(server.requests.map { $0.headers["x-api-key"] } == [["a"], ["b"]])
    }
}
