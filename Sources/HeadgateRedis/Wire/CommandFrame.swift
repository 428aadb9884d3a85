internal import CHiredis
internal import Headgate

/// A command's arguments, and the bytes that they are on the wire.
struct CommandArguments {
    /// All arguments' bytes, one after the other.
    private var bytes: [UInt8] = []
    /// Where each argument ends.
    private var ends: [Int] = []

    /// Arguments with room for about so many bytes and so many arguments.
    init(byteCapacity: Int = 64, countCapacity: Int = 8) {
        bytes.reserveCapacity(byteCapacity)
        ends.reserveCapacity(countCapacity)
    }

    /// A command of texts.
    init(_ texts: some Sequence<String>) {
        self.init()
        for text in texts { append(text) }
    }

    /// How many arguments there are.
    var count: Int { ends.count }

    /// Adds a text.
    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        ends.append(bytes.count)
    }

    /// Adds a whole number in decimal.
    mutating func append(_ number: Int64) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = number.magnitude
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
        ends.append(bytes.count)
    }

    /// The command as RESP.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when there is no argument or the frame passes 16 MiB.
    func framed() throws(LimiterError) -> [UInt8] {
        var frame: UnsafeMutablePointer<CChar>?
        var length = 0
        let status = unsafe frameInC(&frame, &length)
        // hg_command_frame leaves the frame to its caller on HG_OK alone; else it stays NULL, which may be freed.
        defer { unsafe hg_command_free(frame) }
        guard status == HG_OK, unsafe frame != nil else {
            throw LimiterError(.badRequest, "a command cannot be framed; expected 1 argument or more, and 16 MiB at most")
        }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: frame, count: length))
    }

    /// hg_command_frame copies the arguments before it returns, so the pointers need live only for the call.
    ///
    /// None is NULL: an array with reserved capacity has an address even when all arguments are empty.
    private func frameInC(_ frame: inout UnsafeMutablePointer<CChar>?, _ length: inout Int) -> hg_status {
        unsafe bytes.withUnsafeBytes { all in
            unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: ends.count) { pointers in
                unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: ends.count) { lengths in
                    var start = 0
                    for (index, end) in ends.enumerated() {
                        let argument = unsafe all.baseAddress.map { unsafe $0.advanced(by: start).assumingMemoryBound(to: CChar.self) }
                        unsafe pointers.initializeElement(at: index, to: argument)
                        unsafe lengths.initializeElement(at: index, to: end - start)
                        start = end
                    }
                    return unsafe hg_command_frame(ends.count, pointers.baseAddress, lengths.baseAddress, &frame, &length)
                }
            }
        }
    }
}
