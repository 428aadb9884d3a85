import NIOCore
import Testing

@testable import HeadgateGateway

@Suite("An upstream's time")
struct UpstreamMachineTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1) + .seconds(seconds) }

    private func machine() throws -> UpstreamMachine {
        var upstream = try Upstream("http://a")
        upstream.responseTimeout = .seconds(60)
        upstream.idleTimeout = .seconds(30)
        var machine = UpstreamMachine(upstream)
        #expect(machine.isIdle && machine.deadline == nil)
        machine.requestHead(at: at(0))
        return machine
    }

    @Test("for the head runs from the last that was sent to it")
    func head() throws {
        var machine = try machine()
        #expect(machine.deadline == at(60))
        machine.progress(at: at(50))
        machine.requestEnd(at: at(70))
        #expect(machine.deadline == at(130))
        #expect(!machine.isSending)
    }

    @Test("for a part of the body runs while somebody waits for it")
    func body() throws {
        var machine = try machine()
        machine.requestEnd(at: at(0))
        // The head is waited for whether or not anybody was seen to ask.
        #expect(machine.isWanted)
        machine.answerHead(at: at(10))
        #expect(machine.deadline == at(40))
        machine.progress(at: at(20))
        #expect(machine.deadline == at(50))
        machine.wantsNoMore()
        #expect(machine.deadline == nil)
        machine.wants(at: at(100))
        #expect(machine.deadline == at(130))
        machine.answerEnd(at: at(110))
        #expect(machine.isIdle && machine.deadline == nil)
    }

    @Test("goes on behind its answer while it takes the request")
    func early() throws {
        var machine = try machine()
        machine.answerHead(at: at(1))
        machine.answerEnd(at: at(2))
        #expect(!machine.isIdle && machine.isSending)
        machine.progress(at: at(20))
        #expect(machine.deadline == at(50))
        machine.requestEnd(at: at(21))
        #expect(machine.isIdle && machine.deadline == nil)
    }
}
