internal import Headgate

/// One run of the script: its frame, and the shape of its answer.
struct ScriptCall {
    /// What goes over the wire.
    let frame: [UInt8]
    /// The number that the answer has to begin with.
    let nonce: Int64
    /// How many integers the answer has, the nonce and the time included.
    let replyCount: Int
    /// How many decisions it counts for among those that wait.
    let weight: Int
    /// The first of its keys; in a cluster all of them are in one slot.
    let firstKey: String?
}

extension ScriptCall {
    /// The most decisions in one call, so that no call holds Redis up for long.
    static let mostDecisions = 64

    /// The most integers of one reply, below what the reader accepts of a peer.
    static let mostIntegers = 16_000

    /// How many integers a reading has in a reply.
    static let readingWidth = 6

    /// Tells what the script is told of a charge, in its order.
    static func numbers(of charge: Charge, _ tell: (Int64) -> Void) throws(LimiterError) {
        let numbers = charge.limit.algorithm.scriptNumbers
        tell(numbers.algorithm)
        tell((charge.limit.mode == .shadow ? 1 : 0) + (charge.effect == .observe ? 2 : 0))
        tell(try checked(charge.cost, from: 1, "a cost"))
        tell(try checked(charge.reserve, from: 0, "a reserve"))
        tell(charge.limit.algorithm.capacity)
        tell(numbers.a)
        tell(numbers.b)
    }

    /// The largest number that Lua holds exactly.
    static let largestNumber: Int64 = (1 << 53) - 1

    /// Judges decisions, at most 64.
    static func decide(_ decisions: ArraySlice<StoreDecision>, _ context: ScriptContext) throws(LimiterError) -> ScriptCall {
        var keys: [String] = []
        var integers = 2
        for decision in decisions {
            integers += 1 + decision.charges.count * readingWidth
            for charge in decision.charges { keys.append(context.keys.key(charge.identity, charge.limit)) }
        }
        guard integers <= mostIntegers else {
            throw LimiterError(.badRequest, "\(keys.count) limits in one call; expected \(mostIntegers / 6) at most")
        }
        var arguments = context.begin(.decide, keys: keys, fields: keys.count * 7 + decisions.count * 5)
        var shapes = ShapeRuns<Shape>()
        for decision in decisions { shapes.append(try Shape(decision)) }
        arguments.append(Int64(shapes.shapes.count))
        for shape in shapes.shapes {
            arguments.append(shape.count)
            arguments.append(shape.leaseID)
            arguments.append(shape.chargeCount)
            for number in shape.numbers { arguments.append(number) }
        }
        arguments.append(Int64(shapes.runs.count))
        for run in shapes.runs {
            arguments.append(Int64(run.shape + 1))
            arguments.append(Int64(run.times))
        }
        return ScriptCall(
            frame: try arguments.framed(),
            nonce: context.nonce,
            replyCount: integers,
            weight: decisions.count,
            firstKey: keys.first
        )
    }

    /// What decisions have in common but for their keys.
    private struct Shape: Equatable {
        let count: Int64
        let leaseID: String
        let chargeCount: Int64
        let numbers: [Int64]

        init(_ decision: StoreDecision) throws(LimiterError) {
            count = try ScriptCall.checked(decision.count, from: 1, "a decision's count")
            leaseID = decision.leaseID
            chargeCount = Int64(decision.charges.count)
            var numbers: [Int64] = []
            for charge in decision.charges { try ScriptCall.numbers(of: charge) { numbers.append($0) } }
            self.numbers = numbers
        }
    }

    /// Takes charges back.
    static func refund(_ receipts: [Receipt], _ context: ScriptContext) throws(LimiterError) -> ScriptCall {
        let keys = receipts.map { context.keys.key($0.identity, $0.limit) }
        guard receipts.count < mostIntegers else {
            throw LimiterError(.badRequest, "\(receipts.count) receipts in one call; expected fewer than \(mostIntegers)")
        }
        var arguments = context.begin(.refund, keys: keys, fields: keys.count * 6)
        arguments.append(Int64(receipts.count))
        for receipt in receipts {
            let numbers = receipt.limit.algorithm.scriptNumbers
            arguments.append(numbers.algorithm)
            arguments.append(try checked(receipt.units, from: 0, "a receipt's units"))
            arguments.append(receipt.limit.algorithm.capacity)
            arguments.append(numbers.a)
            arguments.append(numbers.b)
            arguments.append(try checked(receipt.stamp, from: 0, "a receipt's stamp"))
        }
        return ScriptCall(
            frame: try arguments.framed(),
            nonce: context.nonce,
            replyCount: 2 + receipts.count,
            weight: 1,
            firstKey: keys.first
        )
    }

    /// Counts a lease's time to live anew.
    static func renew(_ lease: Lease, _ context: ScriptContext) throws(LimiterError) -> ScriptCall {
        let keys = context.keys(of: lease)
        var arguments = context.begin(.renew, keys: keys, fields: keys.count)
        arguments.append(Int64(lease.slots.count))
        arguments.append(lease.id)
        for slot in lease.slots { arguments.append(slot.limit.algorithm.scriptNumbers.a) }
        return ScriptCall(frame: try arguments.framed(), nonce: context.nonce, replyCount: 3, weight: 1, firstKey: keys.first)
    }

    /// Frees a lease's slots.
    static func release(_ lease: Lease, _ context: ScriptContext) throws(LimiterError) -> ScriptCall {
        let keys = context.keys(of: lease)
        var arguments = context.begin(.release, keys: keys, fields: 0)
        arguments.append(Int64(lease.slots.count))
        arguments.append(lease.id)
        return ScriptCall(frame: try arguments.framed(), nonce: context.nonce, replyCount: 3, weight: 1, firstKey: keys.first)
    }

    /// Forgets counts.
    static func reset(_ identity: Identity, _ limits: [Limit], _ context: ScriptContext) throws(LimiterError) -> ScriptCall {
        let keys = limits.map { context.keys.key(identity, $0) }
        var arguments = context.begin(.reset, keys: keys, fields: 0)
        arguments.append(Int64(keys.count))
        return ScriptCall(frame: try arguments.framed(), nonce: context.nonce, replyCount: 3, weight: 1, firstKey: keys.first)
    }

    /// The script refuses other numbers too, but only after it has judged the decisions before.
    private static func checked(_ number: Int64, from least: Int64, _ what: String) throws(LimiterError) -> Int64 {
        guard (least...largestNumber).contains(number) else {
            throw LimiterError(.badRequest, "\(what) is \(number); expected \(least) to \(largestNumber)")
        }
        return number
    }
}
