#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// A small repeatable generator (SplitMix64), so that every run asks the same questions in the same order.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to 1.
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// Zipf's law: of `count` things the one of rank k comes up in proportion to 1 / k to the power of an exponent.
struct Zipf: Sendable {
    /// The probability of a rank or a lower one.
    private let cumulative: [Double]

    init(count: Int, exponent: Double) {
        var sum = 0.0
        var sums: [Double] = []
        sums.reserveCapacity(count)
        for rank in 1...count {
            sum += pow(Double(rank), -exponent)
            sums.append(sum)
        }
        cumulative = sums.map { $0 / sum }
    }

    /// The probability of one rank, counted from 0.
    func probability(of rank: Int) -> Double { rank == 0 ? cumulative[0] : cumulative[rank] - cumulative[rank - 1] }

    /// Draws a rank, counted from 0.
    func draw(_ generator: inout SeededGenerator) -> Int {
        let fraction = generator.fraction()
        var (low, high) = (0, cumulative.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > fraction { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
