import CHiredis

/// A reply reader that frees itself.
@safe
final class Reader {
    /// What fetching replies came to.
    struct Outcome: Equatable {
        var replies: [Reply] = []
        var end = HG_INCOMPLETE
    }

    private let reader: OpaquePointer

    /// A reader with these bounds, or nil when they are refused.
    init?(elements: Int = 20_000, bytes: Int = 1_048_576) {
        guard let reader = unsafe hg_reader_create(hg_reader_bounds(elements: elements, bytes: bytes)) else { return nil }
        unsafe self.reader = reader
    }

    deinit {
        // Created once in init, and nobody else has it.
        unsafe hg_reader_free(reader)
    }

    /// Why the reader failed.
    var reason: String {
        // The text belongs to the reader, which lives, and is copied at once.
        unsafe String(cString: hg_reader_error(reader))
    }

    /// Feeds bytes.
    func feed(_ bytes: ArraySlice<UInt8>) -> hg_status {
        // The bytes are copied, so the pointer need live only for this call.
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe hg_reader_feed(reader, buffer.bindMemory(to: CChar.self).baseAddress, buffer.count)
        }
    }

    /// What one fetched reply held, copied.
    struct Fetched {
        var reply: Reply
        var isFlat: Bool
        var integers: [Int64]
        var addresses: [UInt]
    }

    /// Fetches the next reply; there is one when the status is `HG_OK`.
    func next() -> (status: hg_status, fetched: Fetched?) {
        var reply = unsafe hg_reply()
        let status = unsafe hg_reader_next(reader, &reply)
        guard status == HG_OK else { return (status, nil) }
        // Nothing was called on the reader since, so the reply's pointers are valid.
        let fetched = unsafe Fetched(
            reply: Reply(reply),
            isFlat: reply.flat != 0,
            integers: Array(UnsafeBufferPointer(start: reply.integers, count: reply.count)),
            addresses: [UInt(bitPattern: reply.types), UInt(bitPattern: reply.integers), UInt(bitPattern: reply.text)]
        )
        return (status, fetched)
    }

    /// Feeds one fragment and fetches all whole replies into `outcome`.
    func read(_ fragment: ArraySlice<UInt8>, into outcome: inout Outcome) {
        guard outcome.end == HG_INCOMPLETE else { return }
        outcome.end = feed(fragment)
        while outcome.end == HG_OK {
            let (status, fetched) = next()
            outcome.end = status
            if let fetched {
                outcome.replies.append(fetched.reply)
            }
        }
    }
}

/// Reads bytes cut at these positions with a new reader.
func read(_ bytes: [UInt8], cuts: [Int] = [], elements: Int = 20_000, bound: Int = 1_048_576) -> Reader.Outcome {
    var outcome = Reader.Outcome()
    guard let reader = Reader(elements: elements, bytes: bound) else {
        outcome.end = HG_ERR_ARGUMENT
        return outcome
    }
    for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
        reader.read(bytes[start..<end], into: &outcome)
    }
    return outcome
}

/// Reads a text cut at these positions with a new reader.
func read(_ text: String, cuts: [Int] = [], elements: Int = 20_000, bound: Int = 1_048_576) -> Reader.Outcome {
    read(Array(text.utf8), cuts: cuts, elements: elements, bound: bound)
}
