import CHiredis
import Testing

@Suite("What a peer may make us hold", .serialized)
struct BoundTests {
    @Test("An array header is refused as soon as its line ends")
    func arrayHeader() {
        #expect(read("*6\r", elements: 5).end == HG_INCOMPLETE)
        #expect(read("*6\r\n", elements: 5).end == HG_ERR_BOUND)
        #expect(read("*5\r\n", elements: 5).end == HG_INCOMPLETE)
    }

    @Test("The elements of all arrays of one reply count together, and those of the next one anew")
    func elementsTogether() {
        #expect(read("*2\r\n*3\r\n", elements: 5).end == HG_INCOMPLETE)
        #expect(read("*2\r\n*4\r\n", elements: 5).end == HG_ERR_BOUND)
        #expect(read("*1\r\n:1\r\n*2\r\n:1\r\n:2\r\n", elements: 2).replies.count == 2)
    }

    @Test("A bulk string's length is refused as soon as its line ends")
    func bulkHeader() {
        #expect(read("$17\r", bound: 16).end == HG_INCOMPLETE)
        #expect(read("$17\r\n", bound: 16).end == HG_ERR_BOUND)
        #expect(read("$16\r\n0123456789abcdef\r\n", bound: 16).replies == [.string("0123456789abcdef")])
    }

    @Test("The texts of one reply count together")
    func textsTogether() {
        #expect(read("*2\r\n$8\r\n01234567\r\n$8\r\n01234567\r\n", cuts: [16], bound: 16).replies.count == 1)
        #expect(read("*2\r\n$8\r\n01234567\r\n$9\r\n012345678\r\n", cuts: [16], bound: 16).end == HG_ERR_BOUND)
    }

    @Test("A line without an end is refused at the bound")
    func endlessLine() {
        let bytes = Array("-".utf8) + [UInt8](repeating: 120, count: 1_100_000)
        #expect(read(bytes, cuts: Array(stride(from: 1_000, to: bytes.count, by: 1_000))).end == HG_ERR_BOUND)
        #expect(read(bytes).end == HG_ERR_BOUND)
    }

    @Test("Bytes that nobody fetches are refused at the bound")
    func unfetched() throws {
        let reader = try #require(Reader(bytes: 10_000))
        var status = HG_OK
        var fed = 0
        while status == HG_OK {
            status = reader.feed(ArraySlice("+OK\r\n".utf8))
            fed += 5
        }
        #expect(status == HG_ERR_BOUND)
        #expect(fed < 10_100)
    }

    @Test("The worst frames cost little time and memory")
    func cost() {
        let line = Array("-ERR ".utf8) + [UInt8](repeating: 120, count: 2_000_000)
        let frames: [(name: String, bytes: [UInt8], fragment: Int)] = [
            ("a huge array", Array("*2147483647\r\n".utf8), 13),
            ("a huge bulk string", Array("$9223372036854775807\r\n".utf8), 22),
            ("deep arrays", Array(String(repeating: "*1\r\n", count: 100_000).utf8), 65_536),
            ("a line in small pieces", line, 64),
            ("line ends without their other half", Array("-".utf8) + [UInt8](repeating: 13, count: 1_100_000), 64),
            ("empty arrays", Array(("*20000\r\n" + String(repeating: "*0\r\n", count: 20_000)).utf8), 1_000),
            ("a bulk string in small pieces", Array("$1048576\r\n".utf8) + [UInt8](repeating: 13, count: 1_048_578), 64),
        ]
        for frame in frames {
            let before = residentBytes()
            let elapsed = ContinuousClock().measure {
                _ = read(frame.bytes, cuts: Array(stride(from: frame.fragment, to: frame.bytes.count, by: frame.fragment)))
            }
            // Milliseconds and 4 MiB at most in truth. Other tests run beside this one, so both have slack; ten seconds
            // and 16 GiB, which bare hiredis 0.14 takes for the first, do not fit.
            #expect(elapsed < .seconds(3), "\(frame.name)")
            #expect(residentBytes() - before < 128 * 1024 * 1024, "\(frame.name)")
        }
    }
}
