import CHiredis
import Testing

@Suite("Hostile bytes")
struct HostileTests {
    /// Bytes that break the protocol or the bounds, and how reading them must end.
    struct Frame: Sendable, CustomTestStringConvertible {
        var text: String
        var end: hg_status

        init(_ text: String, _ end: hg_status) {
            self.text = text
            self.end = end
        }

        var testDescription: String { String(text.prefix(40)).debugDescription }
    }

    static let frames = [
        Frame("*2147483647\r\n", HG_ERR_BOUND),
        Frame("*20001\r\n", HG_ERR_BOUND),
        Frame("*2\r\n*19999\r\n", HG_ERR_BOUND),
        Frame("$9223372036854775807\r\n", HG_ERR_BOUND),
        Frame("$1048577\r\n", HG_ERR_BOUND),
        Frame("*1\r\n$1048577\r\n", HG_ERR_BOUND),
        Frame("$9223372036854775808\r\n", HG_ERR_PROTOCOL),
        Frame("$5\r\nhelloXX", HG_ERR_PROTOCOL),
        Frame("$5\r\nhello\r\r", HG_ERR_PROTOCOL),
        Frame("*2\r\n$5\r\nhello\n\r:1\r\n", HG_ERR_PROTOCOL),
        Frame("$-2\r\n", HG_ERR_PROTOCOL),
        Frame("*-2\r\n", HG_ERR_PROTOCOL),
        Frame("$\r\n", HG_ERR_PROTOCOL),
        Frame("*\r\n", HG_ERR_PROTOCOL),
        Frame("$+5\r\nhello\r\n", HG_ERR_PROTOCOL),
        Frame(":\r\n", HG_ERR_PROTOCOL),
        Frame(":-\r\n", HG_ERR_PROTOCOL),
        Frame(":+1\r\n", HG_ERR_PROTOCOL),
        Frame(":01\r\n", HG_ERR_PROTOCOL),
        Frame(":1 \r\n", HG_ERR_PROTOCOL),
        Frame(":9223372036854775808\r\n", HG_ERR_PROTOCOL),
        Frame(":-9223372036854775809\r\n", HG_ERR_PROTOCOL),
        Frame(":1\n", HG_ERR_PROTOCOL),
        Frame("+a\nb\r\n", HG_ERR_PROTOCOL),
        Frame("+a\rb\r\n", HG_ERR_PROTOCOL),
        Frame("\r\n", HG_ERR_PROTOCOL),
        Frame("\0", HG_ERR_PROTOCOL),
        Frame("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request", HG_ERR_PROTOCOL),
        Frame("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", HG_ERR_PROTOCOL),
        Frame(String(repeating: "*1\r\n", count: 9) + ":1\r\n", HG_ERR_PROTOCOL),
        Frame(String(repeating: "*1\r\n", count: 100_000), HG_ERR_PROTOCOL),
        Frame("_\r\n", HG_ERR_PROTOCOL),
        Frame(",1.5\r\n", HG_ERR_PROTOCOL),
        Frame("#t\r\n", HG_ERR_PROTOCOL),
        Frame("(3492890328409238509324850943850943825024385\r\n", HG_ERR_PROTOCOL),
        Frame("!21\r\nSYNTAX invalid syntax\r\n", HG_ERR_PROTOCOL),
        Frame("=7\r\ntxt:abc\r\n", HG_ERR_PROTOCOL),
        Frame("%1\r\n+a\r\n:1\r\n", HG_ERR_PROTOCOL),
        Frame("~1\r\n:1\r\n", HG_ERR_PROTOCOL),
        Frame("|1\r\n+a\r\n:1\r\n", HG_ERR_PROTOCOL),
        Frame(">2\r\n+invalidate\r\n*0\r\n", HG_ERR_PROTOCOL),
        Frame("*2\r\n:1\r\n_\r\n", HG_ERR_PROTOCOL),
    ]

    @Test("A frame that breaks the rules ends in a clean error, whole or byte by byte", arguments: frames)
    func cleanError(frame: Frame) {
        #expect(read(frame.text) == Reader.Outcome(replies: [], end: frame.end))
        #expect(read(frame.text, cuts: Array(1..<min(frame.text.utf8.count, 200))) == Reader.Outcome(replies: [], end: frame.end))
    }

    @Test("Replies before the bytes at fault are still read")
    func repliesBefore() {
        #expect(read("+OK\r\n:5\r\nHTTP") == Reader.Outcome(replies: [.status("OK"), .integer(5)], end: HG_ERR_PROTOCOL))
    }

    @Test("A failed reader repeats its error and says why in one short line", arguments: frames)
    func failedReader(frame: Frame) throws {
        let reader = try #require(Reader())
        var outcome = Reader.Outcome()
        reader.read(ArraySlice(frame.text.utf8), into: &outcome)

        #expect(reader.feed([43]) == frame.end)
        #expect(reader.next().status == frame.end)
        #expect(!reader.reason.isEmpty && reader.reason.utf8.count < 128)
        #expect(reader.reason.utf8.allSatisfy { (32..<127).contains($0) })
    }

    @Test("Random bytes end in an error or wait for more, the same in every fragment size")
    func randomBytes() {
        var generator = SplitMix(state: 20_260_101)
        let alphabet = Array("*$:+-\r\n0123456789aZ_%".utf8)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 1...64, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? UInt8.random(in: 0...255, using: &generator)
            }
            let whole = read(bytes)
            let ends: Set = [HG_INCOMPLETE.rawValue, HG_ERR_PROTOCOL.rawValue, HG_ERR_BOUND.rawValue]
            #expect(ends.contains(whole.end.rawValue))
            #expect(read(bytes, cuts: Array(1..<bytes.count)) == whole, "\(bytes)")
        }
    }
}

/// A random number generator with a fixed seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
