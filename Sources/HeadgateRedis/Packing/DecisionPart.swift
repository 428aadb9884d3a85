internal import Headgate

/// One decision as a part of a call of the script: its pieces of the frame, made once, on its caller's thread.
///
/// The script judges any number of decisions in one call, so those that wait together travel together.
final class DecisionPart: Sendable {
    /// What a decision sends; those with the same bytes are equal, and the script judges them as one with a count.
    struct Bytes: Hashable, Sendable {
        let keys: [UInt8]
        let arguments: [UInt8]
        private let hash: Int

        init(keys: [UInt8], arguments: [UInt8]) {
            self.keys = keys
            self.arguments = arguments
            var hasher = Hasher()
            unsafe keys.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            hash = hasher.finalize()
        }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }

        static func == (left: Bytes, right: Bytes) -> Bool {
            left.hash == right.hash && left.keys == right.keys && left.arguments == right.arguments
        }
    }

    /// Its keys and, behind its count, its arguments, as bulk strings of RESP; how many there are.
    let bytes: Bytes
    let keyCount: Int
    let argumentCount: Int
    /// What it charges.
    let charges: [Charge]
    /// Whether equal ones may be judged as one: a lease is held by one caller.
    let isMergeable: Bool

    /// The integers of its part of the reply.
    var width: Int { 1 + charges.count * ScriptCall.readingWidth }

    /// - Throws: ``LimiterError/Code/badRequest`` when a number is out of range.
    init(_ decision: StoreDecision, _ keySpace: KeySpace) throws(LimiterError) {
        var keys = BulkStrings(capacity: decision.charges.count * 56)
        var arguments = BulkStrings(capacity: 24 + decision.charges.count * 64)
        arguments.append(decision.leaseID)
        arguments.append(Int64(decision.charges.count))
        var holds = !decision.leaseID.isEmpty
        var takes = true
        for charge in decision.charges {
            keys.append(keyOf: charge, in: keySpace)
            try ScriptCall.numbers(of: charge) { arguments.append($0) }
            if case .concurrency = charge.limit.algorithm { holds = true }
            if charge.effect != .take { takes = false }
        }
        bytes = Bytes(keys: keys.bytes, arguments: arguments.bytes)
        keyCount = keys.count
        argumentCount = arguments.count
        charges = decision.charges
        isMergeable = !holds && takes
    }
}

/// Bulk strings of RESP, one after the other.
struct BulkStrings {
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// The head of a command of so many arguments, which follow.
    init(headOf arguments: Int, capacity: Int) {
        bytes.reserveCapacity(capacity)
        bytes.append(UInt8(ascii: "*"))
        write(Int64(arguments))
        end()
    }

    /// Adds what is framed already.
    mutating func append(framed more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Adds a text.
    mutating func append(_ text: String) {
        begin(text.utf8.count)
        write(text)
        end()
    }

    /// Adds the name of the key that a charge counts in.
    mutating func append(keyOf charge: Charge, in keySpace: KeySpace) {
        var length = 0
        keySpace.pieces(of: charge.identity, charge.limit) { length += $0.utf8.count }
        begin(length)
        keySpace.pieces(of: charge.identity, charge.limit) { write($0) }
        end()
    }

    /// Adds a whole number, 0 or more, in decimal.
    mutating func append(_ number: Int64) {
        if number < 10 {
            bytes.append(contentsOf: [
                UInt8(ascii: "$"), UInt8(ascii: "1"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "0") + UInt8(number),
            ])
            count += 1
            return end()
        }
        begin(BulkStrings.digits(number))
        write(number)
        end()
    }

    private mutating func begin(_ length: Int) {
        bytes.append(UInt8(ascii: "$"))
        write(Int64(length))
        end()
        count += 1
    }

    private mutating func end() {
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in unsafe bytes.append(contentsOf: utf8) }
    }

    private mutating func write(_ number: Int64) {
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        if bytes.count - start > 1 { bytes[start...].reverse() }
    }

    private static func digits(_ number: Int64) -> Int {
        var count = 1
        var rest = number / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }
}
