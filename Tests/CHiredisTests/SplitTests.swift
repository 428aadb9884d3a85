import CHiredis
import Testing

@Suite("Reading replies in fragments")
struct SplitTests {
    /// Bytes from a peer, and what they say.
    struct Sample: Sendable, CustomTestStringConvertible {
        var text: String
        var replies: [Reply]

        var testDescription: String { String(text.prefix(40)).debugDescription }
    }

    static let samples: [Sample] = [
        Sample(text: "+OK\r\n", replies: [.status("OK")]),
        Sample(text: "+\r\n", replies: [.status("")]),
        Sample(
            text: "-NOSCRIPT No matching script. Please use EVAL.\r\n",
            replies: [.error("NOSCRIPT No matching script. Please use EVAL.")]
        ),
        Sample(text: ":0\r\n", replies: [.integer(0)]),
        Sample(text: ":9223372036854775807\r\n", replies: [.integer(.max)]),
        Sample(text: ":-9223372036854775808\r\n", replies: [.integer(.min)]),
        Sample(text: "$2\r\nok\r\n", replies: [.string("ok")]),
        Sample(text: "$0\r\n\r\n", replies: [.string("")]),
        Sample(text: "$8\r\na\0\r\n:1\r\n\r\n", replies: [.string("a\0\r\n:1\r\n")]),
        Sample(text: "$-1\r\n", replies: [.null]),
        Sample(text: "*-1\r\n", replies: [.null]),
        Sample(text: "*0\r\n", replies: [.array([])]),
        Sample(text: "*3\r\n:1\r\n:0\r\n:-7\r\n", replies: [.array([.integer(1), .integer(0), .integer(-7)])]),
        Sample(
            text: "*5\r\n:7\r\n$2\r\nok\r\n+fine\r\n-ERR no\r\n$-1\r\n",
            replies: [.array([.integer(7), .string("ok"), .status("fine"), .error("ERR no"), .null])]
        ),
        Sample(
            text: "*2\r\n*3\r\n:0\r\n:5460\r\n*2\r\n$9\r\n127.0.0.1\r\n:7000\r\n*0\r\n",
            replies: [.array([.array([.integer(0), .integer(5460), .array([.string("127.0.0.1"), .integer(7000)])]), .array([])])]
        ),
        Sample(
            text: String(repeating: "*1\r\n", count: 8) + ":1\r\n",
            replies: [(0..<8).reduce(.integer(1)) { inner, _ in .array([inner]) }]
        ),
        Sample(
            text: "+A\r\n:2\r\n$1\r\nB\r\n*1\r\n:3\r\n+C\r\n",
            replies: [.status("A"), .integer(2), .string("B"), .array([.integer(3)]), .status("C")]
        ),
    ]

    @Test("A frame cut at any position says the same", arguments: samples)
    func everySplit(sample: Sample) {
        let expected = Reader.Outcome(replies: sample.replies)
        for cut in 0...sample.text.utf8.count {
            #expect(read(sample.text, cuts: [cut]) == expected)
        }
    }

    @Test("A short frame cut at any two positions says the same", arguments: samples.filter { $0.text.utf8.count <= 60 })
    func everyPairOfSplits(sample: Sample) {
        let expected = Reader.Outcome(replies: sample.replies)
        let length = sample.text.utf8.count
        for first in 0...length {
            for second in first...length where read(sample.text, cuts: [first, second]) != expected {
                Issue.record("cut at \(first) and \(second)")
            }
        }
    }

    @Test("A frame that comes byte by byte says the same", arguments: samples)
    func bytewise(sample: Sample) {
        #expect(read(sample.text, cuts: Array(1..<sample.text.utf8.count)) == Reader.Outcome(replies: sample.replies))
    }

    @Test("A frame that stops early is incomplete and no error", arguments: samples)
    func truncated(sample: Sample) {
        let outcome = read(Array(sample.text.utf8.dropLast()))

        #expect(outcome == Reader.Outcome(replies: sample.replies.dropLast()))
    }

    @Test("Many replies in one feed come out in order", arguments: [1, 100, 4_095, 4_096, 4_097, 65_536])
    func manyReplies(fragment: Int) {
        let bytes = Array((0..<10_000).map { "*2\r\n:\($0)\r\n$3\r\nabc\r\n" }.joined().utf8)
        let cuts = Array(stride(from: fragment, to: bytes.count, by: fragment))
        let expected = (0..<10_000).map { Reply.array([.integer($0), .string("abc")]) }

        #expect(read(bytes, cuts: cuts) == Reader.Outcome(replies: expected))
    }

    @Test("A bulk string as long as the bound is read, however it comes", arguments: [1_000, 4_096, 65_536, 1_048_576])
    func longText(fragment: Int) {
        let text = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let bytes = Array("$1048576\r\n".utf8) + text + [13, 10]

        #expect(read(bytes, cuts: Array(stride(from: fragment, to: bytes.count, by: fragment))) == Reader.Outcome(replies: [.string(text)]))
    }
}
