import Testing

@testable import Headgate

@Suite("The line of those who wait")
struct WaitingLineTests {
    let line = WaitingLine()
    let key = WaitingLine.Key(limits: ["a:acme limit"])

    @Test("passes the turn in the order of coming, over those who have left")
    func order() throws {
        let places = try (0..<5).map { _ in try line.enter(key) }
        #expect(places.map(\.hasTurn) == [true, false, false, false, false])
        line.leave(key, places[1])
        line.leave(key, places[3])
        line.leave(key, places[0])
        #expect(places[2].hasTurn && !places[4].hasTurn)
        line.leave(key, places[2])
        line.leave(key, places[2])
        #expect(places[4].hasTurn)
        line.leave(key, places[4])
        #expect(line.count == 0)
        #expect(try line.enter(key).hasTurn)
    }

    @Test("has a bound, past which a caller is refused at once, and room again when somebody leaves")
    func bound() throws {
        let places = try (0..<WaitingLine.mostPlaces).map { _ in try line.enter(key) }
        let other = WaitingLine.Key(limits: ["a:other limit"])
        let error = #expect(throws: LimiterError.self) { try line.enter(other) }
        #expect(error?.code == .overloaded)
        line.leave(key, places[7])
        line.leave(other, try line.enter(other))
        for place in places { line.leave(key, place) }
        #expect(line.count == 0)
    }
}
