internal import CHiredis
internal import NIOCore

/// Why the bytes of a peer are not replies of Redis.
struct ReplyError: Error, Hashable {
    let reason: String
}

/// Cuts a stream of bytes into replies; owns the C reader and frees it exactly once.
///
/// Lives on one event loop, with its connection. No pointer of the C reader leaves this file.
@safe struct ReplyReader: ~Copyable {
    /// hiredis moves the rest of its buffer after every 1,024 bytes it has consumed, so it is fed a little at a time.
    private static let chunk = 8 * 1024

    /// An hg_reader, or `nil` when there was no memory for one.
    private let reader: OpaquePointer?

    init() {
        let bounds = hg_reader_bounds(elements: 20_000, bytes: 1024 * 1024)
        unsafe reader = hg_reader_create(bounds)
    }

    deinit { unsafe hg_reader_free(reader) }

    /// The next whole reply, from what was fed before and then from `buffer`; `nil` when more bytes are needed.
    ///
    /// After an error the reader is of no more use.
    mutating func next(from buffer: inout ByteBuffer) throws(ReplyError) -> RedisReply? {
        guard unsafe reader != nil else { throw ReplyError(reason: "there is no memory for a reader") }
        while true {
            // The pointers in hg_reply are valid until the next call on the reader: `copy` uses none.
            var reply = unsafe hg_reply()
            switch unsafe hg_reader_next(reader, &reply) {
            case HG_OK: return unsafe ReplyReader.copy(reply)
            case HG_INCOMPLETE: guard try feed(&buffer) else { return nil }
            default: throw failure()
            }
        }
    }

    /// Feeds at most one chunk; false when there was nothing to feed.
    private mutating func feed(_ buffer: inout ByteBuffer) throws(ReplyError) -> Bool {
        let length = min(buffer.readableBytes, ReplyReader.chunk)
        guard length > 0 else { return false }
        // hg_reader_feed copies the bytes.
        let status = unsafe buffer.withUnsafeReadableBytes { bytes in
            unsafe hg_reader_feed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), length)
        }
        buffer.moveReaderIndex(forwardBy: length)
        guard status == HG_OK else { throw failure() }
        return true
    }

    private func failure() -> ReplyError {
        ReplyError(reason: unsafe String(cString: hg_reader_error(reader)))
    }
}

extension ReplyReader {
    /// A reply in memory of its own.
    private static func copy(_ reply: hg_reply) -> RedisReply {
        if unsafe reply.flat != 0 {
            return unsafe .integers([Int64](UnsafeBufferPointer(start: reply.integers + 1, count: reply.count - 1)))
        }
        var index = 0
        let value = unsafe copyNode(reply, &index)
        guard case .failure(let fault) = value else { return .value(value) }
        return .fault(fault)
    }

    /// The node at `index` with all that stands in it; an array stands within at most seven others, so this ends.
    private static func copyNode(_ reply: hg_reply, _ index: inout Int) -> RedisValue {
        guard index < (unsafe reply.count) else { return .null }
        let node = index
        index += 1
        let integer = unsafe reply.integers[node]
        switch unsafe UInt32(reply.types[node]) {
        case HG_NODE_INTEGER.rawValue:
            return .integer(integer)
        case HG_NODE_STRING.rawValue, HG_NODE_STATUS.rawValue:
            return unsafe .bytes([UInt8](text(reply, node)))
        case HG_NODE_ERROR.rawValue:
            return unsafe .failure(fault(text(reply, node)))
        case HG_NODE_ARRAY.rawValue:
            var elements: [RedisValue] = []
            for _ in 0..<max(0, integer) { elements.append(unsafe copyNode(reply, &index)) }
            return .array(elements)
        default:
            return .null
        }
    }

    private static func text(_ reply: hg_reply, _ node: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: reply.text + reply.offsets[node], count: Int(reply.integers[node]))
    }

    private static func fault(_ text: UnsafeRawBufferPointer) -> RedisFault {
        let kind = unsafe hg_error_classify(text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count)
        return RedisFault(
            RedisFault.Kind(kind),
            text: unsafe RedisFault.printable(text.prefix(RedisFault.longestText)),
            // Redis takes the first word from its own refusals inside scripts, and puts ERR in its place.
            isInsideScript: unsafe text.starts(with: "ERR ".utf8)
        )
    }
}

extension RedisFault.Kind {
    /// The kind that the C module tells.
    fileprivate init(_ kind: hg_error_kind) {
        self =
            switch kind {
            case HG_ERROR_NOSCRIPT: .noScript
            case HG_ERROR_MOVED: .moved
            case HG_ERROR_ASK: .ask
            case HG_ERROR_TRYAGAIN: .tryAgain
            case HG_ERROR_CLUSTERDOWN: .clusterDown
            case HG_ERROR_CROSSSLOT: .crossSlot
            case HG_ERROR_MASTERDOWN: .masterDown
            case HG_ERROR_LOADING: .loading
            case HG_ERROR_READONLY: .readOnly
            case HG_ERROR_BUSY: .busy
            case HG_ERROR_NOAUTH: .noAuthentication
            case HG_ERROR_WRONGPASS: .wrongPassword
            case HG_ERROR_NOPERM: .noPermission
            case HG_ERROR_NOREPLICAS: .noReplicas
            case HG_ERROR_MISCONF: .misconfigured
            case HG_ERROR_OOM: .outOfMemory
            case HG_ERROR_MAXCLIENTS: .maxClients
            case HG_ERROR_WRONGTYPE: .wrongType
            case HG_ERROR_SCRIPT: .script
            default: .other
            }
    }
}
