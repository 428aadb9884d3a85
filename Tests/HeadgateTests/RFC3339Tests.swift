import Foundation
import Headgate
import TestSupport
import Testing

@Suite("RFC 3339")
struct RFC3339Tests {
    @Test(
        "Known instants",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_705_316_400, "2024-01-15T11:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)]
    )
    func known(second: Int64, expected: String) {
        #expect(RFC3339.string(epochSecond: second) == expected)
    }

    @Test("Any instant up to the year 9999 reads as Foundation writes it")
    func foundation() {
        var random = Generator(seed: 3)
        for _ in 0..<5_000 {
            let second = Int64.random(in: 0...253_402_300_799, using: &random)
            let date = Date(timeIntervalSince1970: Double(second))
            #expect(RFC3339.string(epochSecond: second) == date.formatted(.iso8601))
        }
    }

    @Test("What was written is read back, and offsets count")
    func reading() {
        for second in stride(from: Int64(0), to: 8_000_000_000, by: 12_345_679) {
            #expect(RFC3339.epochSecond(RFC3339.string(epochSecond: second)) == second)
        }
        #expect(RFC3339.epochSecond("2024-01-15T12:00:00.25+01:00") == RFC3339.epochSecond("2024-01-15T11:00:00Z"))
    }

    @Test(
        "Reading refuses what is no timestamp",
        arguments: [
            "", "2024-01-15", "2024-01-15T11:00:00", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-15 11:00:00Z",
            "2024-01-15T24:00:00Z", "2024-01-15T11:00:00Zx", "2024-01-15T11:00:00.Z", "1969-12-31T23:59:59Z", "tomorrow",
        ]
    )
    func refusing(text: String) {
        #expect(RFC3339.epochSecond(text) == nil)
    }
}
