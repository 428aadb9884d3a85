internal import Headgate

/// What every call of the script shares, and its nonce.
struct ScriptContext {
    /// What a call asks for.
    enum Operation: String {
        case decide, refund, renew, release, reset
    }

    let script: RedisScript
    let keys: KeySpace
    let nonce: Int64

    /// The keys of a lease's slots.
    func keys(of lease: Lease) -> [String] { lease.slots.map { keys.key($0.identity, $0.limit) } }

    /// A command up to the operation's name.
    func begin(_ operation: Operation, keys: [String], fields: Int) -> CommandArguments {
        var arguments = CommandArguments(byteCapacity: 160 + keys.count * 48 + fields * 8, countCapacity: 8 + keys.count + fields)
        arguments.append("EVALSHA")
        arguments.append(script.digest)
        arguments.append(Int64(keys.count))
        for key in keys { arguments.append(key) }
        arguments.append(nonce)
        arguments.append(operation.rawValue)
        return arguments
    }
}

extension Algorithm {
    /// The algorithm's number in the script's protocol, and the two numbers that it counts with beside its capacity.
    var scriptNumbers: (algorithm: Int64, a: Int64, b: Int64) {
        switch self {
        case .slidingWindowLog(let log): (1, log.window, log.slot)
        case .tokenBucket(let bucket): (2, bucket.interval, bucket.divisor)
        case .fixedWindow(let window): (3, window.window, 0)
        case .slidingWindowCounter(let counter): (4, counter.window, 0)
        case .concurrency(let concurrency): (5, concurrency.timeToLive, 0)
        }
    }
}
