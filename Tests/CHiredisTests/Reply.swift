import CHiredis

/// One reply as a tree.
enum Reply: Hashable, Sendable {
    case integer(Int64)
    case string([UInt8])
    case status([UInt8])
    case error([UInt8])
    case null
    case array([Reply])

    /// A bulk string of this text.
    static func string(_ text: String) -> Reply {
        .string(Array(text.utf8))
    }

    /// A simple string of this text.
    static func status(_ text: String) -> Reply {
        .status(Array(text.utf8))
    }

    /// An error line of this text.
    static func error(_ text: String) -> Reply {
        .error(Array(text.utf8))
    }

    /// The tree that the nodes of `reply` draw.
    init(_ reply: hg_reply) {
        var index = 0
        unsafe self.init(reply, at: &index)
    }

    private init(_ reply: hg_reply, at index: inout Int) {
        // The reader that made the reply lives, and nothing was called on it since.
        let type = unsafe hg_node_type(rawValue: UInt32(reply.types[index]))
        let integer = unsafe reply.integers[index]
        let text = unsafe UnsafeRawBufferPointer(start: reply.text + reply.offsets[index], count: Self.textLength(type, integer))
        index += 1
        switch type {
        case HG_NODE_INTEGER: self = .integer(integer)
        case HG_NODE_STRING: self = unsafe .string(Array(text))
        case HG_NODE_STATUS: self = unsafe .status(Array(text))
        case HG_NODE_ERROR: self = unsafe .error(Array(text))
        case HG_NODE_NULL: self = .null
        case HG_NODE_ARRAY:
            var elements: [Reply] = []
            while elements.count < integer {
                unsafe elements.append(Reply(reply, at: &index))
            }
            self = .array(elements)
        default: preconditionFailure("unknown node type \(type.rawValue)")
        }
    }

    private static func textLength(_ type: hg_node_type, _ integer: Int64) -> Int {
        switch type {
        case HG_NODE_STRING, HG_NODE_STATUS, HG_NODE_ERROR: Int(integer)
        default: 0
        }
    }
}
