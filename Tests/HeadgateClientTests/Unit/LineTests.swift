import TestSupport
import Testing

@testable import HeadgateClient

@Suite("The queue")
struct LineTests {
    private func ticket(_ number: UInt64, _ priority: CallPriority = .normal, deadline: Duration = .seconds(99)) -> Ticket {
        Ticket(number: number, order: number, priority: priority, deadline: deadline)
    }

    private func drain(_ line: inout Line) -> [Ticket] {
        var order: [Ticket] = []
        while let ticket = line.first {
            line.removeFirst(of: ticket.priority)
            order.append(ticket)
        }
        return order
    }

    @Test("Urgent calls go first, and within a priority those that came first")
    func order() {
        var line = Line()
        for ticket in [ticket(1, .low), ticket(2), ticket(3, .high), ticket(4), ticket(5, .high)] { line.add(ticket) }
        line.remove(ticket(4))
        line.remove(ticket(9))
        #expect(line.count == 4)
        #expect(drain(&line).map(\.number) == [3, 5, 2, 1])
    }

    @Test("Any sequence of comings and leavings keeps the order", arguments: 1...20 as ClosedRange<UInt64>)
    func anyOrder(seed: UInt64) {
        var generator = Generator(seed: seed)
        var line = Line()
        var model: [Ticket] = []
        for number in 1...200 as ClosedRange<UInt64> {
            if Bool.random(using: &generator), let victim = model.randomElement(using: &generator) {
                line.remove(victim)
                model.removeAll { $0 == victim }
            }
            let deadline = Duration.seconds(Int.random(in: 1...99, using: &generator))
            var ticket = ticket(number, CallPriority.allCases.randomElement(using: &generator) ?? .normal, deadline: deadline)
            // One that comes back has kept its place.
            if Bool.random(using: &generator) { ticket.order = 1_000 - number }
            line.add(ticket)
            model.append(ticket)
        }
        let late = line.removeAll(endingBy: .seconds(50))
        #expect(Set(late) == Set(model.filter { $0.deadline <= .seconds(50) }))
        model.removeAll { $0.deadline <= .seconds(50) }
        model.sort { ($0.priority, $0.order) < ($1.priority, $1.order) }
        #expect(drain(&line) == model)
    }

    @Test("The queue is bounded, over all keys")
    func bounded() {
        var queue = QueueConfiguration()
        queue.mostWaiting = 3
        var lanes = Lanes(pacing: PacingConfiguration(), queue: queue)
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(lanes.enter(ticket(number), "key \(number)", "r", bell: Bell(), at: .zero) != nil)
        }
        #expect(lanes.enter(ticket(4), "key 1", "r", bell: Bell(), at: .zero) == nil)
        // A call that was let in once is not turned away when it comes to be sent again.
        var again = ticket(5)
        again.wasSent = true
        #expect(lanes.enter(again, "key 1", "r", bell: Bell(), at: .zero) != nil)
    }

    @Test("An idle key is forgotten when there are too many, one in use never")
    func keys() {
        var queue = QueueConfiguration()
        queue.mostKeys = 2
        var lanes = Lanes(pacing: PacingConfiguration(), queue: queue)
        let first = lanes.enter(ticket(1), "a", "r", bell: Bell(), at: .zero)
        _ = lanes.enter(ticket(2), "b", "r", bell: Bell(), at: .seconds(1))
        #expect(lanes.enter(ticket(3), "c", "r", bell: Bell(), at: .seconds(2)) == nil)
        if let first { _ = lanes.leave(first) }
        #expect(lanes.enter(ticket(4), "c", "r", bell: Bell(), at: .seconds(3)) != nil)
        #expect(lanes.lane(of: "a") == nil)
    }
}
