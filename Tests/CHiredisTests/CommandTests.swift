import CHiredis
import Testing

@Suite("Framing a command")
struct CommandTests {
    /// Frames a command of these arguments.
    private func frame(_ arguments: [[UInt8]]) -> (status: hg_status, bytes: [UInt8]?) {
        // One buffer for all texts, with a byte of its own for each, so that an empty one has an address too.
        let texts = arguments.flatMap { $0 + [0] }.map(CChar.init(bitPattern:))
        let starts = arguments.reduce(into: [0]) { starts, argument in starts.append(starts[starts.count - 1] + argument.count + 1) }
        var frame: UnsafeMutablePointer<CChar>?
        var length = 0
        let status = unsafe texts.withUnsafeBufferPointer { texts in
            let pointers = unsafe starts.dropLast().map { start in unsafe texts.baseAddress.map { base in unsafe base + start } }
            return unsafe hg_command_frame(arguments.count, pointers, arguments.map(\.count), &frame, &length)
        }
        guard let frame = unsafe frame else { return (status, nil) }
        defer { unsafe hg_command_free(frame) }
        return unsafe (status, Array(UnsafeRawBufferPointer(start: frame, count: length)))
    }

    @Test("A command becomes an array of bulk strings, byte for byte")
    func exactBytes() {
        let (status, bytes) = frame([Array("EVALSHA".utf8), Array("0123456789abcdef".utf8), Array("0".utf8)])

        #expect(status == HG_OK)
        #expect(bytes == Array("*3\r\n$7\r\nEVALSHA\r\n$16\r\n0123456789abcdef\r\n$1\r\n0\r\n".utf8))
    }

    @Test("NUL, CR LF and percent signs inside an argument stay as they are")
    func binaryArguments() {
        let (status, bytes) = frame([Array("a\0b".utf8), Array("%s\r\n$1\r\n".utf8), [0xFF, 0x00]])

        #expect(status == HG_OK)
        #expect(bytes == Array("*3\r\n$3\r\na\0b\r\n$8\r\n%s\r\n$1\r\n\r\n$2\r\n".utf8) + [0xFF, 0x00, 13, 10])
    }

    @Test("An empty argument is an empty bulk string")
    func emptyArgument() {
        #expect(frame([Array("ECHO".utf8), []]).bytes == Array("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n".utf8))
    }

    @Test("A command without arguments is refused")
    func noArguments() {
        #expect(frame([]).status == HG_ERR_ARGUMENT)
    }

    @Test("Null pointers are refused and nothing is written")
    func nullPointers() {
        var frame: UnsafeMutablePointer<CChar>?
        var length = 7
        let text: [CChar] = [1]
        unsafe text.withUnsafeBufferPointer { text in
            let argument = unsafe [text.baseAddress]
            #expect(unsafe hg_command_frame(1, nil, [1], &frame, &length) == HG_ERR_ARGUMENT)
            #expect(unsafe hg_command_frame(1, argument, nil, &frame, &length) == HG_ERR_ARGUMENT)
            #expect(unsafe hg_command_frame(1, [nil], [0], &frame, &length) == HG_ERR_ARGUMENT)
            #expect(unsafe hg_command_frame(1, argument, [1], nil, &length) == HG_ERR_ARGUMENT)
            #expect(unsafe hg_command_frame(1, argument, [1], &frame, nil) == HG_ERR_ARGUMENT)
        }
        #expect(unsafe frame == nil)
        #expect(length == 7)
    }

    @Test("Lengths that would overflow a sum are refused before the text is read", arguments: [Int.max, -1, Int.min, 16 * 1024 * 1024 + 1])
    func overflowingLengths(length: Int) {
        let text: [CChar] = [1]
        var frame: UnsafeMutablePointer<CChar>?
        var frameLength = 0
        unsafe text.withUnsafeBufferPointer { text in
            let pointers = unsafe [text.baseAddress, text.baseAddress]
            let lengths = [1, Int(bitPattern: UInt(bitPattern: length))]
            #expect(unsafe hg_command_frame(2, pointers, lengths, &frame, &frameLength) == HG_ERR_ARGUMENT)
        }
        #expect(unsafe frame == nil)
    }

    @Test("A frame of exactly the bound is made, and one byte more is refused")
    func bound() {
        // "*1" CR LF "$16777200" CR LF text CR LF
        let overhead = 4 + 9 + 2 + 2
        let most = 16 * 1024 * 1024

        #expect(frame([[UInt8](repeating: 120, count: most - overhead)]).bytes?.count == most)
        #expect(frame([[UInt8](repeating: 120, count: most - overhead + 1)]).status == HG_ERR_ARGUMENT)
    }
}
