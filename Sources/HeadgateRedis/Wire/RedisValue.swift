/// Any reply of Redis.
package enum RedisValue: Sendable, Hashable {
    /// A whole number.
    case integer(Int64)
    /// A simple or a bulk string.
    case bytes([UInt8])
    /// A null.
    case null
    /// A list.
    case array([RedisValue])
    /// An error within a list.
    case failure(RedisFault)

    /// The value as text, when it is a string of valid UTF-8.
    package var text: String? {
        guard case .bytes(let bytes) = self else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The elements, when it is a list.
    package var elements: [RedisValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The number, when it is one.
    package var integer: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }
}

/// One whole reply, as the connection looks at it.
enum RedisReply: Sendable, Hashable {
    /// A list of integers alone: what our script answers.
    case integers([Int64])
    /// An error line.
    case fault(RedisFault)
    /// Anything else.
    case value(RedisValue)

    /// The reply as a value, for commands that are not our script.
    var value: RedisValue {
        switch self {
        case .integers(let numbers): .array(numbers.map(RedisValue.integer))
        case .fault(let fault): .failure(fault)
        case .value(let value): value
        }
    }
}
