import Testing

@testable import HeadgateBench

@Suite("Who asks how often")
struct SamplerTests {
    @Test("Zipf's law: the second comes up 2 to the 1.1 times less often than the first, and so on")
    func law() {
        let zipf = Zipf(count: 100_000, exponent: 1.1)
        #expect(abs(zipf.probability(of: 0) / zipf.probability(of: 1) - 2.1435) < 0.001)
        #expect(abs(zipf.probability(of: 0) / zipf.probability(of: 9) - 12.589) < 0.001)
        #expect(abs((0..<100_000).reduce(0) { $0 + zipf.probability(of: $1) } - 1) < 1e-9)
    }

    @Test("Draws come up as often as the law says")
    func draws() {
        let zipf = Zipf(count: 1_000, exponent: 1.1)
        var generator = SeededGenerator(seed: 7)
        var counts = [Int](repeating: 0, count: 1_000)
        for _ in 0..<200_000 { counts[zipf.draw(&generator)] += 1 }
        for rank in [0, 1, 2, 10, 100] {
            let expected = zipf.probability(of: rank) * 200_000
            #expect(abs(Double(counts[rank]) - expected) < 5 * expected.squareRoot())
        }
    }

    @Test("Equal seeds draw the same, and one thing is always the same one")
    func seeds() {
        let zipf = Zipf(count: 100, exponent: 1.1)
        var (one, other) = (SeededGenerator(seed: 5), SeededGenerator(seed: 5))
        #expect((0..<100).map { _ in zipf.draw(&one) } == (0..<100).map { _ in zipf.draw(&other) })
        #expect(Zipf(count: 1, exponent: 1.1).draw(&one) == 0)
    }
}
