import Testing

@testable import HeadgateRedis

@Suite("Shapes of decisions")
struct ShapeRunsTests {
    @Test("are said once each, in the order in which they came, and name the decisions in theirs")
    func order() {
        var decisions = ShapeRuns<Character>()
        for shape in "aabaccb" { decisions.append(shape) }
        #expect(decisions.shapes == ["a", "b", "c"])
        #expect(decisions.runs.map(\.shape) == [0, 1, 0, 2, 1])
        #expect(decisions.runs.map(\.times) == [2, 1, 1, 2, 1])
    }
}
