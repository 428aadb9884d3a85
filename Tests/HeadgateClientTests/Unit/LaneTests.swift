import Testing

@testable import HeadgateClient

@Suite("What is under way, and what is known of it")
struct LaneTests {
    private func lane(_ slots: Int = 10) -> Lane {
        var pacing = PacingConfiguration()
        pacing.concurrency = .atMost(slots)
        return Lane(pacing)
    }

    private func ticket(_ number: UInt64, deadline: Duration = .seconds(9_999)) -> Ticket {
        Ticket(number: number, order: number, priority: .normal, deadline: deadline)
    }

    private func served(_ quotas: QuotaReading...) -> Reading { Reading(status: 200, outcome: .served, quotas: quotas) }

    private func left(_ remaining: Int64, reset: Duration = .seconds(100)) -> QuotaReading {
        QuotaReading(name: "q", limit: 4, remaining: remaining, reset: reset)
    }

    /// A lane in which two routes are known to fall under one limit, of which so many units are left.
    private func shared(left remaining: Int64) -> Lane {
        var lane = lane()
        for (number, route) in [(1, "a"), (2, "b")] as [(UInt64, String)] {
            lane.enter(ticket(number), on: route)
            _ = lane.dispatch(at: .zero)
            lane.learn(served(left(remaining)), to: number, at: .zero)
            lane.end(number, at: .zero)
        }
        return lane
    }

    @Test("A limit that two routes share counts what is under way on both")
    func sharedLimit() {
        var lane = shared(left: 4)
        for (number, route) in [(3, "a"), (4, "b")] as [(UInt64, String)] { lane.enter(ticket(number), on: route) }
        #expect(lane.dispatch(at: .seconds(1)).granted.count == 2)
        lane.learn(served(left(1, reset: .seconds(99))), to: 3, at: .seconds(1))
        lane.end(3, at: .seconds(1))
        // The last unit is perhaps the one that is under way.
        #expect(lane.quotas["q"]?.left == 0)
        lane.enter(ticket(5), on: "a")
        #expect(lane.dispatch(at: .seconds(2)).granted.isEmpty)
    }

    @Test("A request whose route a limit has left is not waited for after its end")
    func forgotten() {
        var lane = shared(left: 1)
        // Two are sent on one route past the limit's time; the first's answer says nothing of the limit, which is stale.
        lane.enter(ticket(3), on: "a")
        #expect(lane.dispatch(at: .seconds(101)).granted == [3])
        lane.learn(served(), to: 3, at: .seconds(101))
        lane.end(3, at: .seconds(101))
        lane.enter(ticket(4), on: "b")
        lane.enter(ticket(5), on: "a")
        _ = lane.dispatch(at: .seconds(102))
        for number in [4, 5] as [UInt64] {
            lane.learn(Reading(status: 500, outcome: .served), to: number, at: .seconds(102))
            lane.end(number, at: .seconds(102))
        }
        for number in 6...20 as ClosedRange<UInt64> {
            lane.enter(ticket(number), on: number % 2 == 0 ? "a" : "b")
            let now = Duration.seconds(100 + Int(number))
            #expect(lane.dispatch(at: now).granted == [number])
            lane.end(number, at: now)
        }
    }

    @Test("A request that ends after its route lost a limit holds nobody back who is still under it")
    func lostLimit() {
        var lane = shared(left: 0)
        // At the reset one goes ahead on each route.
        lane.enter(ticket(3), on: "a")
        #expect(lane.dispatch(at: .seconds(101)).granted == [3])
        // While it is under way, its route forgets the limit: another request of it, sent before, is told nothing of it.
        lane.routes["a"]?.quotas.remove("q")
        lane.end(3, at: .seconds(101))
        lane.enter(ticket(4), on: "b")
        #expect(lane.dispatch(at: .seconds(102)).granted == [4])
    }

    @Test("An answer whose body is still being read is counted once")
    func streaming() {
        var lane = lane()
        for number in 1...2 as ClosedRange<UInt64> {
            lane.enter(ticket(number), on: "r")
            #expect(lane.dispatch(at: .zero).granted == [number])
            lane.learn(served(left(4 - Int64(number))), to: number, at: .zero)
        }
        #expect(lane.flights.count == 2)
        #expect(lane.quotas["q"]?.left == 2)
    }

    @Test("A call that cannot fit is refused at once, also behind one that has time")
    func refusedBehind() {
        var lane = lane()
        lane.hold(for: .seconds(60), at: .zero)
        lane.enter(ticket(1, deadline: .seconds(3_000)), on: "r")
        lane.enter(ticket(2, deadline: .seconds(30)), on: "r")
        #expect(lane.dispatch(at: .zero).refused == [2: .seconds(60)])
        lane.enter(ticket(3, deadline: .seconds(20)), on: "r")
        #expect(lane.dispatch(at: .zero).refused == [3: .seconds(60)])
        #expect(lane.dispatch(at: .seconds(61)).granted == [1])
    }

    @Test("A turn that is not used costs no unit and no slot")
    func withdrawn() {
        var lane = shared(left: 1)
        lane.enter(ticket(3), on: "a")
        #expect(lane.dispatch(at: .seconds(60)).granted == [3])
        lane.withdraw(3)
        #expect(lane.flights.isEmpty && lane.quotas["q"]?.left == 1)
        lane.withdraw(3)
        lane.end(3, at: .seconds(60))
        #expect(lane.quotas["q"]?.left == 1)
    }

    @Test("A dispatch rate is kept after a time in which nothing was sent, too")
    func rateAfterIdleness() {
        var pacing = PacingConfiguration()
        pacing.dispatchRate = .atMost(4, per: .seconds(2))
        pacing.concurrency = .atMost(100)
        var lane = Lane(pacing)
        var sent: [Duration] = []
        for number in 1...9 as ClosedRange<UInt64> { lane.enter(ticket(number), on: "r\(number)") }
        for millisecond in Array(stride(from: 0, to: 700, by: 100)) + Array(stride(from: 60_000, to: 63_000, by: 100)) {
            sent += lane.dispatch(at: .milliseconds(millisecond)).granted.map { _ in .milliseconds(millisecond) }
        }
        for (index, time) in sent.enumerated() {
            #expect(sent.filter { $0 >= time && $0 < time + .seconds(2) }.count <= 4, "from \(index)")
        }
        #expect(sent.count == 8)
    }

    @Test("A bound that is given comes back after refusals that name none")
    func givenBound() {
        var bound = ConcurrencyBound(.atMost(8))
        bound.yield()
        bound.object(underway: 4, named: nil, at: .zero)
        #expect(bound.slots == 2)
        for _ in 0..<99 { bound.succeed(underway: bound.slots, at: .zero) }
        #expect(bound.slots == 8)
        // What the server names is another matter.
        bound.object(underway: 8, named: 3, at: .zero)
        for _ in 0..<99 { bound.succeed(underway: bound.slots, at: .seconds(1)) }
        #expect(bound.slots == 3)
    }

    @Test("The rest between two uses of a slot grows with objections, and shrinks when there are none for long")
    func rest() {
        var bound = ConcurrencyBound(.learnt(atMost: 8))
        let first = bound.rest
        for _ in 0..<9 { bound.object(underway: 1, named: 2, at: .zero) }
        #expect(bound.rest == .milliseconds(250))
        for round in 1...20 {
            for _ in 0..<9 { bound.succeed(underway: bound.slots, at: .seconds(601 * round)) }
        }
        #expect(bound.rest == first)
    }
}
