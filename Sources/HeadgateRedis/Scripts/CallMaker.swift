internal import Headgate
internal import NIOCore
internal import Synchronization

/// Makes calls: gives each script call its nonce, and each call its share of what may wait and its slot.
final class CallMaker: Sendable {
    let keys: KeySpace
    let load: Load
    let script: RedisScript
    /// Whether calls go by slots.
    let isCluster: Bool

    private let carriers = Load(RedisConfiguration.Bounds())
    private let lastNonce = Atomic(Int64.random(in: 0...ScriptCall.largestNumber))

    init(script: RedisScript, keys: KeySpace, load: Load, isCluster: Bool) {
        self.script = script
        self.keys = keys
        self.load = load
        self.isCluster = isCluster
    }

    /// The script's context for one call, with a nonce that no call under way has.
    var context: ScriptContext {
        let nonce = lastNonce.wrappingAdd(1, ordering: .relaxed).newValue & ScriptCall.largestNumber
        return ScriptContext(script: script, keys: keys, nonce: nonce)
    }

    /// A call of the script.
    ///
    /// - Throws: ``LimiterError/Code/overloaded``.
    func call(_ script: ScriptCall, by deadline: NIODeadline) throws(LimiterError) -> Call {
        Call(
            frame: script.frame,
            expecting: .integers(count: script.replyCount, nonce: script.nonce),
            deadline: deadline,
            slot: isCluster ? script.firstKey.map { HashSlot.of($0) } : nil,
            share: try load.take(decisions: script.weight, bytes: script.frame.count)
        )
    }

    /// A decision, which travels with others.
    ///
    /// - Throws: ``LimiterError``.
    func call(_ decision: StoreDecision, by deadline: NIODeadline) throws(LimiterError) -> Call {
        let part = try DecisionPart(decision, keys)
        return Call(
            frame: [],
            expecting: .anything,
            deadline: deadline,
            slot: isCluster ? decision.charges.first.map { HashSlot.of(keys.key($0.identity, $0.limit)) } : nil,
            part: part,
            share: try load.take(decisions: 1, bytes: part.bytes.keys.count + part.bytes.arguments.count)
        )
    }

    /// The call in which decisions travel together; each of them has its own share of what may wait.
    ///
    /// - Throws: ``LimiterError``.
    func carrier(of packet: Packet) throws(LimiterError) -> Call {
        let context = context
        return Call(
            frame: packet.frame(context),
            expecting: .integers(count: packet.integers, nonce: context.nonce),
            deadline: packet.lastDeadline,
            slot: packet.slot,
            share: try carriers.take(decisions: 0, bytes: 0)
        )
    }

    /// A call of another command.
    ///
    /// - Throws: ``LimiterError``.
    func call(_ arguments: [String], by deadline: NIODeadline) throws(LimiterError) -> Call {
        let frame = try CommandArguments(arguments).framed()
        return Call(
            frame: frame,
            expecting: .anything,
            deadline: deadline,
            slot: isCluster ? CommandArguments.firstKey(of: arguments).map { HashSlot.of($0) } : nil,
            share: try load.take(decisions: 1, bytes: frame.count)
        )
    }

    /// A call that shows whether a node makes decisions: a real one, on keys of its own.
    ///
    /// `nil` when none can be made now.
    func probe(tag: String, by deadline: NIODeadline) -> Call? {
        guard let decision = try? StoreDecision.canary(tag), let script = try? ScriptCall.decide([decision], context) else { return nil }
        return try? call(script, by: deadline)
    }
}

extension StoreDecision {
    /// A decision that nobody waits for: a unit of a bucket that is full again within a millisecond.
    static func canary(_ tag: String) throws(LimiterError) -> StoreDecision {
        let limit = try Limit("canary", .tokenBucket(1_000, per: .seconds(1)))
        return StoreDecision(charges: [Charge(limit, identity: try Identity(.global, tag))])
    }
}

extension CommandArguments {
    /// The first key that a command names; `nil` when it names none.
    static func firstKey(of arguments: [String]) -> String? {
        func argument(_ index: Int) -> String? { index < arguments.count ? arguments[index] : nil }
        switch argument(0)?.uppercased() {
        case "EVAL", "EVALSHA": return argument(2) == "0" ? nil : argument(3)
        case "XREAD", "XREADGROUP":
            return arguments.firstIndex { $0.uppercased() == "STREAMS" }.flatMap { argument($0 + 1) }
        case "XGROUP", "XINFO", "OBJECT": return argument(2)
        case "SCRIPT", "TIME", "INFO", "PING", "SCAN", "ROLE", "CLUSTER", "CLIENT", "ACL", "CONFIG": return nil
        default: return argument(1)
        }
    }
}
