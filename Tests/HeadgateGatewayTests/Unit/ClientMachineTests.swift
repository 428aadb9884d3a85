import NIOCore
import Testing

@testable import HeadgateGateway

@Suite("A client's time")
struct ClientMachineTests {
    private static let patience = ClientPatience(head: .seconds(5), body: .seconds(10), idle: .seconds(60), linger: .seconds(2))

    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1) + .seconds(seconds) }

    private func machine() -> ClientMachine { ClientMachine(patience: Self.patience, now: at(0)) }

    @Test("for the first head runs from the connection's start, whatever is read")
    func head() {
        var machine = machine()
        for second in Int64(0)..<5 {
            machine.wants(at: at(second))
            #expect(machine.verdict(at: at(second)) == .wait)
            machine.wantsNoMore(at: at(second))
        }
        #expect(machine.deadline == at(5))
        #expect(machine.verdict(at: at(5)) == .refuse)
    }

    @Test("for the next head runs from the last answer's end, and ends without words")
    func idle() {
        var machine = machine()
        machine.requestHead(at: at(1))
        machine.requestEnd(at: at(1))
        #expect(machine.deadline == nil)
        machine.answerHead()
        machine.answerEnd(at: at(100), isRefusal: false)
        #expect(machine.deadline == at(160))
        #expect(machine.verdict(at: at(159)) == .wait)
        #expect(machine.verdict(at: at(160)) == .end)
    }

    @Test("for a body starts anew with each part, and only while somebody waits for it")
    func body() {
        var machine = machine()
        machine.wants(at: at(0))
        machine.requestHead(at: at(1))
        #expect(machine.deadline == at(11))
        machine.requestPart(at: at(9))
        machine.wantsNoMore(at: at(9))
        #expect(machine.deadline == nil)
        machine.wants(at: at(1_000))
        #expect(machine.deadline == at(1_010))
        #expect(machine.verdict(at: at(1_010)) == .refuse)
    }

    @Test("is not given back by bytes that are no part of the body")
    func drip() {
        var machine = machine()
        machine.requestHead(at: at(0))
        for second in Int64(0)..<10 {
            machine.wants(at: at(second))
            #expect(machine.deadline == at(10))
            machine.wantsNoMore(at: at(second + 1))
        }
        machine.wants(at: at(10))
        #expect(machine.verdict(at: at(10)) == .refuse)
    }

    @Test("has no 408 at its end once there is an answer, or when another request waits for one")
    func answered() {
        var machine = machine()
        machine.wants(at: at(0))
        machine.requestHead(at: at(0))
        machine.answerHead()
        #expect(machine.verdict(at: at(10)) == .end)
        machine.answerEnd(at: at(1), isRefusal: false)
        #expect(machine.verdict(at: at(10)) == .end)

        machine = self.machine()
        machine.wants(at: at(0))
        machine.requestHead(at: at(0))
        machine.requestEnd(at: at(0))
        machine.requestHead(at: at(0))
        #expect(machine.verdict(at: at(10)) == .end)
    }

    @Test("for the rest of a body that was refused is not extended by its parts")
    func drain() {
        var machine = machine()
        machine.wants(at: at(0))
        machine.requestHead(at: at(0))
        machine.answerHead()
        machine.answerEnd(at: at(1), isRefusal: true)
        for second in Int64(1)..<11 {
            machine.requestPart(at: at(second))
            #expect(machine.verdict(at: at(second)) == .wait)
        }
        #expect(machine.verdict(at: at(11)) == .end)
        machine.requestEnd(at: at(11))
        #expect(machine.deadline == at(71))
    }

    @Test("to take an answer runs while it takes nothing")
    func blocked() {
        var machine = machine()
        machine.requestHead(at: at(0))
        machine.requestEnd(at: at(0))
        machine.answerHead()
        machine.writability(false, at: at(1))
        machine.writability(false, at: at(30))
        #expect(machine.deadline == at(61))
        machine.writability(true, at: at(60))
        #expect(machine.deadline == nil)
        machine.writability(false, at: at(61))
        #expect(machine.verdict(at: at(121)) == .end)
    }

    @Test("to close its side runs once")
    func linger() {
        var machine = machine()
        machine.end(at: at(3))
        machine.end(at: at(4))
        #expect(machine.deadline == at(5))
        #expect(machine.verdict(at: at(4)) == .wait)
        #expect(machine.verdict(at: at(5)) == .close)
    }
}
