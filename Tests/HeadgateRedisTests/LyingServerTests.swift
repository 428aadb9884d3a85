import Headgate
import NIOCore
import TestSupport
import Testing

@testable import HeadgateRedis

/// A server, or something between it and us, that answers wrongly.
@Suite("A peer that answers wrongly", .serialized, .exclusive)
struct LyingServerTests {
    private func quick(_ socket: String, deadline: Duration = .milliseconds(1_000)) -> RedisConfiguration {
        var configuration = configuration(socket, deadline: deadline, connections: 1)
        configuration.backoff = .init(base: .milliseconds(1), cap: .milliseconds(1))
        return configuration
    }

    /// Decides once against a bad answer, and once more against a good one.
    private func firstError(
        deadline: Duration = .milliseconds(1_000),
        _ bad: @escaping @Sendable (_ nonce: String) -> [FakeRedis.Step]
    ) async throws -> (error: LimiterError?, nonces: [String], connections: Int) {
        try await withFake({ $0.earlierCalls == 0 ? bad($0.nonce) : [.send(FakeRedis.granted($0))] }) { fake in
            try await withStore(quick(fake.socket, deadline: deadline)) { store in
                let charge = try Charge.counted("acme")
                var first: LimiterError?
                do throws(LimiterError) { _ = try await store.take(charge) } catch { first = error }
                #expect(try await store.take(charge).granted == 1)
                #expect(Set(fake.nonces).count == fake.nonces.count, "no call may reach Redis twice")
                return (first, fake.nonces, fake.connections)
            }
        }
    }

    @Test("Another request's nonce closes the connection, and nobody gets the answer")
    func wrongNonce() async throws {
        let (error, nonces, connections) = try await firstError { _ in [.send(FakeRedis.granted("12345"))] }
        #expect(error?.code == .desynchronised)
        #expect(error?.charge == .unknown)
        #expect(nonces.count == 2)
        #expect(connections == 2)
    }

    @Test(
        "An injected reply is never taken for an answer",
        arguments: ["+OK\r\n", ":1\r\n", "*0\r\n", "$2\r\nok\r\n", "$-1\r\n", "*-1\r\n", "*1\r\n+a\r\n", "*1\r\n-ERR inside\r\n"]
    )
    func injected(_ reply: String) async throws {
        let (error, _, connections) = try await firstError { [.send(reply + FakeRedis.granted($0))] }
        #expect(error?.code == .desynchronised)
        #expect(error?.charge == .unknown)
        #expect(connections == 2)
    }

    @Test("The right nonce with the wrong number of results is no answer")
    func wrongShape() async throws {
        let (error, _, connections) = try await firstError { [.send("*3\r\n:\($0)\r\n:1763782569123456\r\n:1\r\n")] }
        #expect(error?.code == .wireProtocol)
        #expect(error?.charge == .unknown)
        #expect(connections == 2)
    }

    @Test(
        "Garbage closes the connection",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{0}\u{1}\u{2}\u{3}\u{ff}", "*2147483647\r\n", "*-5\r\n",
            "$9223372036854775807\r\n", ":x\r\n", "%1\r\n", String(repeating: "*1\r\n", count: 100_000),
        ]
    )
    func garbage(_ text: String) async throws {
        let (error, _, connections) = try await firstError { _ in [.send(text)] }
        #expect(error?.code == .wireProtocol)
        #expect(error?.charge == .unknown)
        #expect(connections == 2)
        #expect((error?.message.utf8.count ?? 0) < 400)
    }

    @Test("An error line of a megabyte is cut in what we say of it")
    func longError() async throws {
        let (error, _, _) = try await firstError { _ in [.send("-ERR \u{1b}[31m" + String(repeating: "x", count: 900_000) + "\r\n")] }
        #expect(error?.code == .script || error?.code == .wireProtocol)
        #expect(error?.charge == .unknown)
        #expect((error?.message.utf8.count ?? 0) < 400)
        #expect(error?.message.utf8.allSatisfy { (0x20...0x7E).contains($0) } == true)
    }

    @Test("An answer cut at any byte is unknown, never a crash or a second charge")
    func cutAnswers() async throws {
        for length in 0..<FakeRedis.granted("1").utf8.count {
            let (error, nonces, connections) = try await firstError { nonce in
                [.send(String(decoding: FakeRedis.granted(nonce).utf8.prefix(length), as: UTF8.self)), .close]
            }
            #expect(error?.code == .connect, "cut at \(length)")
            #expect(error?.charge == .unknown)
            #expect(nonces.count == 2)
            #expect(connections == 2)
        }
    }

    @Test("A swallowed answer ends at the deadline as unknown, and the next one is not taken for it")
    func swallowed() async throws {
        try await withFake({ $0.earlierCalls == 0 ? [] : [.send(FakeRedis.granted($0))] }) { fake in
            try await withStore(quick(fake.socket, deadline: .milliseconds(50))) { store in
                let charge = try Charge.counted("acme")
                let start = ContinuousClock.now
                await #expect { try await store.take(charge) } throws: { error in
                    let error = error as? LimiterError
                    return error?.code == .deadlineExceeded && error?.charge == .unknown
                }
                let took = ContinuousClock.now - start
                #expect(took >= .milliseconds(50) && took < .milliseconds(300))
                await #expect { try await store.take(charge) } throws: { ($0 as? LimiterError)?.code == .desynchronised }
                #expect(try await store.take(charge).granted == 1)
                #expect(fake.nonces.count == 3)
            }
        }
    }

    @Test("An answer that drips in ends at the deadline")
    func dripping() async throws {
        let start = ContinuousClock.now
        let drip: @Sendable (FakeRedis.Command) -> [FakeRedis.Step] = { [.drip(FakeRedis.granted($0), every: .milliseconds(20))] }
        try await withFake(drip) { fake in
            try await withStore(quick(fake.socket, deadline: .milliseconds(100))) { store in
                let charge = try Charge.counted("acme")
                await #expect { try await store.take(charge) } throws: { error in
                    let error = error as? LimiterError
                    return error?.code == .deadlineExceeded && error?.charge == .unknown
                }
            }
        }
        #expect(ContinuousClock.now - start < .milliseconds(500))
    }

    @Test("A connection that owes an answer too long is given up", arguments: ["", "*1\r\n", "$1000000\r\nabc"])
    func stalled(_ beginning: String) async throws {
        try await withFake({ $0.connection == 0 ? [.send(beginning)] : [.send(FakeRedis.granted($0))] }) { fake in
            var configuration = quick(fake.socket, deadline: .milliseconds(50))
            configuration.stallTimeout = .milliseconds(100)
            try await withStore(configuration) { store in
                let charge = try Charge.counted("acme")
                await #expect { try await store.take(charge) } throws: { ($0 as? LimiterError)?.code == .deadlineExceeded }
                #expect(try await eventually { (try? await store.take(charge).granted) == 1 })
                #expect(fake.connections == 2)
            }
        }
    }

    @Test("A lease that nobody got the answer for is released behind its decision")
    func abandonedLease() async throws {
        let releases = Tally()
        try await withFake({ command in
            if command.arguments.contains("release") {
                releases.add(command.arguments.last ?? "")
                return [.later("*3\r\n:\(command.nonce)\r\n:1763782569123456\r\n:1\r\n", .milliseconds(100))]
            }
            return [.later(FakeRedis.granted(command), .milliseconds(100))]
        }) { fake in
            try await withStore(quick(fake.socket, deadline: .milliseconds(50))) { store in
                let charge = try Charge.slot("acme")
                await #expect { try await store.take(charge, leaseID: "lost") } throws: { ($0 as? LimiterError)?.charge == .unknown }
                #expect(try await eventually { releases["lost"] == 1 })
                #expect(try await eventually { store.load.decisions == 0 })
                #expect(fake.connections == 1)
            }
        }
    }

    @Test("When a later part of many decisions is lost, the leases of the earlier parts are released")
    func lostChunk() async throws {
        let releases = Tally()
        let zeros = String(repeating: ":1\r\n:1\r\n:9\r\n:0\r\n:0\r\n:0\r\n:0\r\n", count: 64)
        try await withFake({ command in
            if command.arguments.contains("release") {
                releases.add(command.arguments.last ?? "")
                return [.send("*3\r\n:\(command.nonce)\r\n:1763782569123456\r\n:1\r\n")]
            }
            guard command.earlierCalls == 0 else { return [.close] }
            return [.send("*\(2 + 64 * 7)\r\n:\(command.nonce)\r\n:1763782569123456\r\n" + zeros)]
        }) { fake in
            try await withStore(quick(fake.socket)) { store in
                let charge = try Charge.slot("acme")
                let decisions = (0..<70).map { StoreDecision(charges: [charge], leaseID: "lease\($0)") }
                await #expect { try await store.decide(decisions) } throws: { error in
                    (error as? LimiterError)?.charge == .unknown
                }
                #expect(try await eventually { releases.all.count == 70 })
            }
        }
    }
}
