/// Times in buckets whose width grows with the time, so that its size does not depend on how many there are.
///
/// Up to 127 ns each value has a bucket, above that each power of two has 64: a percentile is off by less than 1 %. What is longer
/// than about 18 minutes counts as that.
struct Histogram: Sendable {
    private static let precision = 6
    private static let highestBit = 40
    private static let size = (highestBit - precision + 1) << precision

    private var counts = [UInt64](repeating: 0, count: size)

    /// How many times were recorded.
    private(set) var total: UInt64 = 0

    /// Records a time.
    mutating func record(nanoseconds: UInt64) {
        counts[Histogram.bucket(of: nanoseconds)] += 1
        total += 1
    }

    /// Adds the times of another histogram.
    mutating func add(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        total += other.total
    }

    /// The time in microseconds that a share of all times does not exceed; 0 when there are none.
    func microseconds(at share: Double) -> Double {
        let rank = max(1, UInt64((share * Double(total)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if seen >= rank { return Histogram.middle(ofBucket: index) / 1_000 }
        }
        return 0
    }

    static func bucket(of nanoseconds: UInt64) -> Int {
        let value = min(nanoseconds, (1 << highestBit) - 1)
        let shift = max(0, UInt64.bitWidth - 1 - value.leadingZeroBitCount - precision)
        return (shift << precision) + Int(value >> UInt64(shift))
    }

    private static func middle(ofBucket index: Int) -> Double {
        let shift = max(0, (index >> precision) - 1)
        let lowest = UInt64(index - (shift << precision)) << UInt64(shift)
        return Double(lowest) + Double((UInt64(1) << UInt64(shift)) - 1) / 2
    }
}
