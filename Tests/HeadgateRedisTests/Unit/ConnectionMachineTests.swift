import Headgate
import NIOCore
import Testing

@testable import HeadgateRedis

@Suite("The connection's logic")
struct ConnectionMachineTests {
    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private let digest = RedisReply.value(.bytes(Array("abc".utf8)))

    private func ready() -> DrivenMachine {
        let machine = DrivenMachine()
        #expect(machine.greet([.loadScript], at: now))
        #expect(machine.receive(digest).name == "ready")
        return machine
    }

    @discardableResult
    private func send(_ machine: DrivenMachine, _ nonce: Int64, deadline: NIODeadline = .distantFuture) throws -> Call {
        let call = try Call.script(nonce: nonce, deadline: deadline)
        #expect(call.markSent())
        #expect(machine.send(Attempt(call), at: now))
        return call
    }

    // MARK: The greeting

    @Test("The greeting is over when its last answer is there")
    func greeting() {
        let machine = DrivenMachine()
        #expect(machine.greet([.authenticate, .select, .setName, .loadScript], at: now))
        for _ in 0..<3 { #expect(machine.receive(.ok).name == "none") }
        #expect(machine.state == .greeting)
        #expect(machine.receive(digest).name == "ready")
        #expect(machine.state == .ready)
    }

    @Test(
        "A refused greeting closes with its reason",
        arguments: [
            (ConnectionMachine.GreetingCommand.authenticate, RedisFault.Kind.wrongPassword, "close authentication"),
            (.authenticate, .other, "close authentication"), (.authenticate, .loading, "close loading"),
            (.authenticate, .maxClients, "close maxClients"), (.select, .noAuthentication, "close authentication"),
            (.select, .other, "close badRequest"), (.loadScript, .noPermission, "close permission"),
            (.loadScript, .loading, "close loading"), (.setName, .noAuthentication, "close authentication"),
        ]
    )
    func refusedGreeting(_ command: ConnectionMachine.GreetingCommand, _ kind: RedisFault.Kind, _ action: String) {
        let machine = DrivenMachine()
        #expect(machine.greet([command, .loadScript], at: now))
        #expect(machine.receive(.fault(kind)).name == action)
    }

    @Test("A client name that the ACL forbids is done without")
    func refusedName() {
        let machine = DrivenMachine()
        #expect(machine.greet([.setName, .loadScript], at: now))
        #expect(machine.receive(.fault(.noPermission)).name == "none")
        #expect(machine.receive(digest).name == "ready")
    }

    @Test("Another digest than ours, or numbers, are no greeting")
    func wrongGreeting() {
        for reply in [RedisReply.ok, .integers([1]), .value(.null)] {
            let machine = DrivenMachine()
            #expect(machine.greet([.loadScript], at: now))
            #expect(machine.receive(reply).name == "close wireProtocol")
        }
    }

    @Test("Nothing is sent before the greeting is over, or after the end")
    func notReady() throws {
        let machine = DrivenMachine()
        let attempt = Attempt(try Call.script(nonce: 1))
        #expect(!machine.send(attempt, at: now))
        #expect(machine.greet([.loadScript], at: now))
        #expect(!machine.send(attempt, at: now))
        _ = machine.close()
        #expect(!machine.send(attempt, at: now))
        #expect(!machine.greet([.loadScript], at: now))
        #expect(machine.receive(.ok).name == "close desynchronised")
    }

    // MARK: Replies

    @Test("Replies go to their calls in the order in which they were sent")
    func order() throws {
        let machine = ready()
        let calls = try [5, 6, 7].map { try send(machine, $0) }
        for call in calls {
            guard case .integers(_, let nonce) = call.expectation,
                case .complete(let answered, .integers(let numbers)) = machine.receive(.integers([nonce, 0, nonce]))
            else {
                Issue.record("no answer")
                return
            }
            #expect(answered === call)
            #expect(numbers[2] == nonce)
        }
        #expect(machine.owedCount == 0)
        #expect(machine.receive(.integers([7, 0, 0])).name == "close desynchronised")
    }

    @Test(
        "What does not carry the nonce is nobody's answer, and all who wait are handed out as unknown",
        arguments: [RedisReply.integers([6, 0, 0]), .integers([]), .ok, .value(.null), .value(.array([.integer(5), .null]))]
    )
    func desynchronised(_ reply: RedisReply) throws {
        let machine = ready()
        let calls = try [5, 6, 7].map { try send(machine, $0) }
        #expect(machine.receive(reply).name == "close desynchronised")
        #expect(machine.close().map(ObjectIdentifier.init) == calls.map(ObjectIdentifier.init))
    }

    @Test("The right nonce in the wrong shape is a broken protocol")
    func wrongShape() throws {
        let machine = ready()
        let call = try send(machine, 5)
        #expect(machine.receive(.integers([5, 0])).name == "close wireProtocol")
        #expect(machine.close().first === call)
    }

    @Test("Other commands take any reply but an error")
    func commands() throws {
        let machine = ready()
        for (reply, name) in [
            (RedisReply.ok, "complete"), (.integers([1]), "complete"), (.fault(.wrongType), "fail badRequest notCharged"),
            (.fault(.noScript), "fail badRequest notCharged"), (.fault(.readOnly), "fail readOnly notCharged"),
        ] {
            let call = try Call.command()
            #expect(call.markSent())
            #expect(machine.send(Attempt(call), at: now))
            #expect(machine.receive(reply).name == name)
        }
        #expect(machine.state == .draining(.readOnly))
    }

    // MARK: The lost script

    @Test("One load serves all calls that were under way when the script was lost")
    func singleFlightReload() throws {
        let machine = ready()
        for nonce in 1...4 { try send(machine, Int64(nonce)) }
        #expect(machine.receive(.integers([1, 0, 0])).name == "complete")
        let first = machine.receive(.fault(.noScript))
        #expect(first.name == "load and send again")
        machine.load(at: now)
        #expect(machine.send(try #require(first.attempt), at: now))
        for _ in 3...4 {
            let next = machine.receive(.fault(.noScript))
            #expect(next.name == "send again")
            #expect(machine.send(try #require(next.attempt), at: now))
        }
        #expect(machine.receive(digest).name == "none")
        for nonce in 2...4 { #expect(machine.receive(.integers([Int64(nonce), 0, 0])).name == "complete") }
    }

    @Test("A script that is lost again is loaded again, and a third time is an error")
    func repeatedLoss() throws {
        let machine = ready()
        try send(machine, 1)
        for _ in 0..<2 {
            let action = machine.receive(.fault(.noScript))
            #expect(action.name == "load and send again")
            machine.load(at: now)
            #expect(machine.send(try #require(action.attempt), at: now))
            #expect(machine.receive(digest).name == "none")
        }
        #expect(machine.receive(.fault(.noScript)).name == "fail script notCharged")
    }

    @Test("A load that is answered with something else is a lost order")
    func wrongLoad() throws {
        let machine = ready()
        machine.load(at: now)
        #expect(machine.receive(.integers([1, 0, 0])).name == "close desynchronised")
    }

    // MARK: A server that cannot serve us

    @Test("Calls that a replica refused go to the next connection; those behind are waited for")
    func leave() throws {
        let machine = ready()
        for nonce in 1...3 { try send(machine, Int64(nonce)) }
        #expect(machine.receive(.fault(.readOnly)).name == "hand over")
        #expect(machine.state == .draining(.readOnly))
        #expect(!machine.isSpent)
        #expect(!machine.send(Attempt(try Call.script(nonce: 9)), at: now))
        #expect(machine.receive(.fault(.noScript)).name == "hand over")
        #expect(machine.receive(.integers([3, 0, 0])).name == "complete")
        #expect(machine.isSpent)
    }

    @Test("A call is handed over once")
    func leaveTwice() throws {
        let machine = ready()
        let call = try Call.script(nonce: 1)
        #expect(call.markSent())
        #expect(machine.send(try #require(Attempt(call).afterRefusal), at: now))
        #expect(machine.receive(.fault(.readOnly)).name == "fail readOnly notCharged")
    }

    // MARK: Time

    @Test("Calls whose deadline has come are found once, in any order of deadlines")
    func deadlines() throws {
        let machine = ready()
        let late = try send(machine, 1, deadline: now + .milliseconds(90))
        let early = try send(machine, 2, deadline: now + .milliseconds(10))
        let middle = try send(machine, 3, deadline: now + .milliseconds(50))
        #expect(machine.overdue(at: now).calls.isEmpty)
        #expect(machine.overdue(at: now).next == now + .milliseconds(10))
        let (first, next) = machine.overdue(at: now + .milliseconds(20))
        #expect(first.map(ObjectIdentifier.init) == [ObjectIdentifier(early)])
        #expect(next == now + .milliseconds(50))
        early.giveUp(.deadlineExceeded, "")
        let rest = machine.overdue(at: now + .seconds(1)).calls
        #expect(rest.map(ObjectIdentifier.init) == [late, middle].map(ObjectIdentifier.init))
        for call in rest { call.giveUp(.deadlineExceeded, "") }
        #expect(machine.overdue(at: now + .seconds(2)).calls.isEmpty)
        #expect(!machine.isAwaited)
        #expect(machine.owedCount == 3)
    }

    @Test("Deadlines stay right while replies come")
    func deadlinesAndReplies() throws {
        let machine = ready()
        let calls = try (1...6).map { try send(machine, Int64($0), deadline: now + .milliseconds(Int64($0))) }
        for call in machine.overdue(at: now + .milliseconds(3)).calls { call.giveUp(.deadlineExceeded, "") }
        #expect(machine.receive(.integers([1, 0, 0])).name == "complete")
        #expect(machine.receive(.integers([2, 0, 0])).name == "complete")
        let (overdue, next) = machine.overdue(at: now + .milliseconds(4))
        #expect(overdue.map(ObjectIdentifier.init) == [ObjectIdentifier(calls[3])])
        #expect(next == now + .milliseconds(5))
    }

    @Test("A connection stalls when its oldest reply does not come, and not before that call's deadline")
    func stall() throws {
        let machine = ready()
        #expect(machine.stalls(after: .seconds(2)) == nil)
        try send(machine, 1, deadline: now + .milliseconds(50))
        #expect(machine.stalls(after: .seconds(2)) == now + .seconds(2))
        let patient = ready()
        try send(patient, 1, deadline: now + .seconds(9))
        #expect(patient.stalls(after: .seconds(2)) == now + .seconds(9))
    }
}
