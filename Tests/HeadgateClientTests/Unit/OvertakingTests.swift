import Testing

@testable import HeadgateClient

@Suite("Priorities: urgent first, and nobody never")
struct OvertakingTests {
    /// Sends one call after the other of a lane in which all priorities wait without end.
    private func turns(_ count: Int, mostOvertaking: Int, sameRoute: Bool) -> [CallPriority] {
        var pacing = PacingConfiguration()
        pacing.concurrency = .atMost(1)
        var lane = Lane(pacing, mostOvertaking: mostOvertaking)
        var priorities: [UInt64: CallPriority] = [:]
        var number: UInt64 = 0
        func enter(_ priority: CallPriority) {
            number += 1
            priorities[number] = priority
            let ticket = Ticket(number: number, order: number, priority: priority, deadline: .seconds(9_999))
            lane.enter(ticket, on: sameRoute ? "r" : priority.rawValue)
        }
        for priority in [CallPriority.low, .normal, .high] { enter(priority) }
        return (0..<count).map { step in
            let granted = lane.dispatch(at: .seconds(step)).granted
            let priority = granted.first.flatMap { priorities[$0] } ?? .normal
            lane.end(granted.first ?? 0, at: .seconds(step))
            enter(priority)
            return priority
        }
    }

    @Test("After eight more urgent calls in a row one of the others goes, in whichever lines they wait", arguments: [true, false])
    func share(sameRoute: Bool) {
        let turns = turns(40, mostOvertaking: 8, sameRoute: sameRoute)
        #expect(turns.prefix(10) == [.high, .high, .high, .high, .high, .high, .high, .high, .normal, .low])
        #expect(turns.filter { $0 == .high }.count == 32)
        for priority in [CallPriority.normal, .low] { #expect(turns.filter { $0 == priority }.count == 4) }
    }

    @Test("Unless it is wished otherwise")
    func strict() {
        #expect(turns(40, mostOvertaking: .max, sameRoute: true).allSatisfy { $0 == .high })
    }

    @Test("Whoever comes after the urgent ones were sent has not been passed over by them")
    func afresh() {
        var overtaking = Overtaking(atMost: 2)
        for _ in 0..<9 { overtaking.goes(.high, of: [.high]) }
        #expect(overtaking.next(of: [.low, .high]) == .high)
        for _ in 0..<2 { overtaking.goes(.high, of: [.high, .low]) }
        #expect(overtaking.next(of: [.low, .high]) == .low)
        // In between it could not have gone: it waits for its own limit.
        overtaking.goes(.high, of: [.high])
        #expect(overtaking.next(of: [.low, .high]) == .high)
        #expect(overtaking.next(of: []) == nil)
    }
}
