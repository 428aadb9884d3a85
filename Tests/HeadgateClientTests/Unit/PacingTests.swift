import Testing

@testable import HeadgateClient

@Suite("The pace, against a server that is played")
struct PacingTests {
    @Test(
        "200 jobs at 20 per 6 s and 2 at once take at most 1.15 of the shortest time, with at most 1 % refused",
        arguments: Simulation.Algorithm.allCases,
        [PacingConfiguration.Concurrency.atMost(2), .learnt(atMost: 64)]
    )
    func nearTheShortestTime(algorithm: Simulation.Algorithm, concurrency: PacingConfiguration.Concurrency) {
        for step in 0..<20 {
            var simulation = Simulation(algorithm: algorithm, phase: 10 + Double(step) * 0.31)
            simulation.pacing.concurrency = concurrency
            let outcome = simulation.run()
            #expect(outcome.seconds <= outcome.shortest * 1.15, "phase \(simulation.phase)")
            #expect(outcome.refused * 100 <= outcome.answers, "phase \(simulation.phase)")
        }
    }

    @Test("Requests are spread over what remains, instead of running into the wall")
    func spread() {
        var lane = Lane(PacingConfiguration())
        var sent: [Duration] = []
        var now = Duration.zero
        // 10 in 10 s; half at once, and the rest evenly until the reset.
        for number in 1...10 as ClosedRange<UInt64> {
            lane.enter(Ticket(number: number, order: number, priority: .normal, deadline: .seconds(99)), on: "r")
            var turns = lane.dispatch(at: now)
            while turns.granted.isEmpty, let wake = turns.wake {
                now = wake
                turns = lane.dispatch(at: now)
            }
            #expect(turns.granted == [number])
            sent.append(now)
            let quota = QuotaReading(name: "q", limit: 10, remaining: 10 - Int64(number), reset: .seconds(10) - now)
            lane.learn(Reading(status: 200, outcome: .served, quotas: [quota]), to: number, at: now)
            lane.end(number, at: now)
        }
        #expect(sent[4] < .milliseconds(50))
        for index in 6..<10 {
            let gap = sent[index] - sent[index - 1]
            #expect(gap > .milliseconds(1_500) && gap < .milliseconds(1_800))
        }
    }

    @Test("With nothing left nothing is sent until more is there, and then one goes ahead")
    func wall() {
        var lane = Lane(PacingConfiguration())
        for number in 1...3 as ClosedRange<UInt64> {
            lane.enter(Ticket(number: number, order: number, priority: .normal, deadline: .seconds(99)), on: "r")
        }
        #expect(lane.dispatch(at: .zero).granted == [1])
        let spent = QuotaReading(name: "q", limit: 1_000, remaining: 0, reset: .seconds(5))
        lane.learn(Reading(status: 200, outcome: .served, quotas: [spent]), to: 1, at: .zero)
        lane.end(1, at: .zero)
        let turns = lane.dispatch(at: .seconds(1))
        #expect(turns.granted.isEmpty)
        #expect(turns.wake == .seconds(5))
        #expect(lane.dispatch(at: .seconds(5)).granted == [2])
    }

    @Test("A call that cannot fit before its deadline is refused at once, with the time at which it could")
    func refused() {
        var lane = Lane(PacingConfiguration())
        lane.hold(for: .seconds(86_400), at: .zero)
        lane.enter(Ticket(number: 1, order: 1, priority: .normal, deadline: .seconds(30)), on: "r")
        // Nobody's word is taken for longer than an hour.
        #expect(lane.dispatch(at: .zero).refused == [1: .seconds(3_600)])
    }

    @Test("Limits of one route hold back no other route of the key")
    func routes() {
        var lane = Lane(PacingConfiguration())
        lane.enter(Ticket(number: 1, order: 1, priority: .normal, deadline: .seconds(99)), on: "a")
        #expect(lane.dispatch(at: .zero).granted == [1])
        let spent = QuotaReading(name: "q", limit: 5, remaining: 0, reset: .seconds(50))
        lane.learn(Reading(status: 200, outcome: .served, quotas: [spent]), to: 1, at: .zero)
        lane.end(1, at: .zero)
        lane.enter(Ticket(number: 2, order: 2, priority: .high, deadline: .seconds(99)), on: "a")
        lane.enter(Ticket(number: 3, order: 3, priority: .low, deadline: .seconds(99)), on: "b")
        #expect(lane.dispatch(at: .seconds(1)).granted == [3])
    }

    @Test("A dispatch rate holds whatever the server allows")
    func dispatchRate() {
        var pacing = PacingConfiguration()
        pacing.dispatchRate = .atMost(4, per: .seconds(2))
        pacing.concurrency = .atMost(100)
        var lane = Lane(pacing)
        var sent: [Duration] = []
        for number in 1...4 as ClosedRange<UInt64> {
            lane.enter(Ticket(number: number, order: number, priority: .normal, deadline: .seconds(99)), on: "r\(number)")
        }
        for millisecond in stride(from: 0, to: 2_000, by: 100) {
            sent += lane.dispatch(at: .milliseconds(millisecond)).granted.map { _ in .milliseconds(millisecond) }
        }
        #expect(sent == [.zero, .milliseconds(500), .seconds(1), .milliseconds(1_500)])
    }

    @Test("A refusal that names a smaller bound than were under way is one on concurrency, and holds nobody else back")
    func learntBound() {
        var bound = ConcurrencyBound(.learnt(atMost: 64))
        for _ in 0..<20 { bound.succeed(underway: bound.slots, at: .zero) }
        #expect(bound.slots > 3)
        bound.object(underway: 3, named: 2, at: .zero)
        for _ in 0..<99 { bound.succeed(underway: bound.slots, at: .zero) }
        #expect(bound.slots == 2)
        for _ in 0..<9 { bound.succeed(underway: bound.slots, at: .seconds(601)) }
        #expect(bound.slots > 2)
    }

    @Test("What is known of routes and limits is bounded")
    func bounds() {
        var lane = Lane(PacingConfiguration())
        for number in 1...1_000 as ClosedRange<UInt64> {
            let route = lane.bounded("route \(number)")
            lane.enter(Ticket(number: number, order: number, priority: .normal, deadline: .seconds(9_999)), on: route)
            let now = Duration.seconds(Int(number))
            guard lane.dispatch(at: now).granted == [number] else { continue }
            let quota = QuotaReading(name: "q \(number)", limit: 10, remaining: 9, reset: .seconds(5_000))
            lane.learn(Reading(status: 200, outcome: .served, quotas: [quota]), to: number, at: now)
            lane.end(number, at: now)
        }
        #expect(lane.routes.count <= Lane.mostRoutes + 1)
        #expect(lane.quotas.count <= Lane.mostQuotas)
    }
}
