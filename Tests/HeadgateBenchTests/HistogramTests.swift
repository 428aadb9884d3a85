import TestSupport
import Testing

@testable import HeadgateBench

@Suite("Times in buckets")
struct HistogramTests {
    @Test("A percentile is within one per cent of the sorted times'", arguments: [0.0, 0.5, 0.9, 0.99, 0.999, 1])
    func percentiles(share: Double) {
        var generator = Generator(seed: 3)
        var histogram = Histogram()
        var times: [UInt64] = []
        for _ in 0..<20_000 {
            let time = UInt64.random(in: 0..<(1 << UInt64.random(in: 1...36, using: &generator)), using: &generator)
            times.append(time)
            histogram.record(nanoseconds: time)
        }
        times.sort()
        let exact = Double(times[max(0, Int((share * 20_000).rounded(.up)) - 1)]) / 1_000
        #expect(abs(histogram.microseconds(at: share) - exact) <= exact * 0.01)
        #expect(histogram.total == 20_000)
    }

    @Test("Buckets follow each other without a gap")
    func buckets() {
        var last = -1
        for value in 0..<UInt64(1 << 16) {
            let bucket = Histogram.bucket(of: value)
            #expect(bucket == last || bucket == last + 1)
            last = bucket
        }
    }

    @Test("Times of several callers are as one caller's, the longest fit, and nothing is zero")
    func bounds() {
        var (one, other, both) = (Histogram(), Histogram(), Histogram())
        for time in [5, 70, 9_000, .max] as [UInt64] {
            both.record(nanoseconds: time)
            if time < 100 { one.record(nanoseconds: time) } else { other.record(nanoseconds: time) }
        }
        one.add(other)
        for share in [0.25, 0.5, 0.75, 1] { #expect(one.microseconds(at: share) == both.microseconds(at: share)) }
        #expect(both.microseconds(at: 1) > 1e9)
        #expect(Histogram().microseconds(at: 0.5) == 0)
    }
}
