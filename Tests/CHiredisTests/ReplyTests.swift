import CHiredis
import Testing

@Suite("What a reply holds")
struct ReplyTests {
    @Test(
        "Only an array of one or more integers alone is flat",
        arguments: [
            ("*2\r\n:1\r\n:2\r\n", true), ("*1\r\n:1\r\n", true), ("*0\r\n", false), (":1\r\n", false), ("*-1\r\n", false),
            ("*2\r\n:1\r\n$1\r\na\r\n", false), ("*2\r\n:1\r\n*1\r\n:2\r\n", false), ("*1\r\n*1\r\n:1\r\n", false),
            ("*1\r\n$-1\r\n", false),
        ]
    )
    func flat(text: String, expected: Bool) throws {
        let reader = try #require(Reader())
        #expect(reader.feed(ArraySlice(text.utf8)) == HG_OK)

        #expect(reader.next().fetched?.isFlat == expected)
    }

    @Test("The integers of a flat reply stand behind its header")
    func integers() throws {
        let reader = try #require(Reader())
        #expect(reader.feed(ArraySlice("*3\r\n:5\r\n:6\r\n:7\r\n".utf8)) == HG_OK)

        #expect(reader.next().fetched?.integers == [3, 5, 6, 7])
    }

    @Test("A reader used again and again keeps its memory and takes no more")
    func reuse() throws {
        let reader = try #require(Reader())
        let bytes = Array("*3\r\n:5\r\n$3\r\nabc\r\n+OK\r\n".utf8)
        var places: Set<[UInt]> = []
        for _ in 0..<1_000 {
            #expect(reader.feed(bytes[...]) == HG_OK)
            places.insert(try #require(reader.next().fetched).addresses)
        }
        #expect(places.count == 1)
    }

    @Test("A reader that was fed nothing says that more is needed")
    func nothing() throws {
        let reader = try #require(Reader())
        #expect(reader.feed([]) == HG_OK)
        #expect(reader.next().status == HG_INCOMPLETE)
        #expect(reader.reason.isEmpty)
    }

    @Test("Bounds of zero or beyond reason are refused")
    func bounds() {
        #expect(Reader(elements: 0) == nil)
        #expect(Reader(bytes: 0) == nil)
        #expect(Reader(elements: .max) == nil)
        #expect(Reader(bytes: .max) == nil)
    }

    @Test("Null pointers are refused, and freeing null does nothing")
    func nullPointers() {
        var reply = unsafe hg_reply()
        #expect(hg_reader_feed(nil, nil, 0) == HG_ERR_ARGUMENT)
        #expect(unsafe hg_reader_next(nil, &reply) == HG_ERR_ARGUMENT)
        hg_reader_free(nil)
        hg_command_free(nil)
    }
}
