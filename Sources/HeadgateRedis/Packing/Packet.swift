internal import Headgate
internal import NIOCore

/// Decisions that travel in one call of the script, and how its reply is theirs.
struct Packet {
    /// Equal decisions, which the script judges as one with a count, in the order in which they came.
    struct Group {
        let part: DecisionPart
        var calls: [Call]
    }

    /// Its number among those of its lane.
    var number = 0
    private(set) var groups: [Group] = []
    /// When the first of its callers is to be answered, and when the last.
    var deadline = NIODeadline.distantFuture
    private(set) var lastDeadline = NIODeadline.uptimeNanoseconds(0)
    /// The cluster's slot of all of its keys.
    private(set) var slot: Int?
    /// The integers of its reply.
    private(set) var integers = 2

    /// Adds a decision, and says where it stands.
    mutating func append(_ call: Call, _ part: DecisionPart) -> Int {
        groups.append(Group(part: part, calls: [call]))
        integers += part.width
        slot = call.slot
        note(call)
        return groups.count - 1
    }

    /// Adds a decision that equals those of a group.
    mutating func append(_ call: Call, toGroup index: Int) {
        groups[index].calls.append(call)
        note(call)
    }

    private mutating func note(_ call: Call) {
        deadline = min(deadline, call.deadline)
        lastDeadline = max(lastDeadline, call.deadline)
    }

    /// The call's bytes.
    func frame(_ context: ScriptContext) -> [UInt8] {
        var bytes = BulkStrings.head(6 + groups.reduce(0) { $0 + $1.part.keyCount + 1 + $1.part.argumentCount })
        let size = groups.reduce(160) { $0 + $1.part.shape.keys.count + $1.part.shape.arguments.count + 16 }
        bytes.reserveCapacity(size)
        var head = BulkStrings(capacity: 80)
        head.append("EVALSHA")
        head.append(context.script.digest)
        head.append(Int64(groups.reduce(0) { $0 + $1.part.keyCount }))
        bytes += head.bytes
        for group in groups { bytes += group.part.shape.keys }
        var middle = BulkStrings(capacity: 64)
        middle.append(context.nonce)
        middle.append(ScriptContext.Operation.decide.rawValue)
        middle.append(Int64(groups.count))
        bytes += middle.bytes
        for group in groups {
            var count = BulkStrings(capacity: 16)
            count.append(Int64(group.calls.count))
            bytes += count.bytes
            bytes += group.part.shape.arguments
        }
        return bytes
    }
}

// MARK: The reply

extension Packet {
    /// Gives each caller its part of the answer.
    func distribute(_ answer: Call.Answer) {
        switch answer {
        case .success(.integers(let numbers)) where numbers.count == integers:
            var at = 2
            for group in groups {
                group.distribute(numbers, from: at)
                at += group.part.width
            }
        case .success:
            fail(LimiterError(.wireProtocol, "the script's answer is no list of numbers", charge: .unknown))
        case .failure(let error):
            fail(error)
        }
    }

    private func fail(_ error: LimiterError) {
        for group in groups {
            for call in group.calls { call.finish(.failure(error)) }
        }
    }
}

extension Packet.Group {
    /// Gives each caller what the script would have said had it been asked one by one, in the order in which they came.
    ///
    /// Those who have gone are passed over: what was granted goes to those who wait.
    func distribute(_ numbers: [Int64], from start: Int) {
        let granted = numbers[start]
        var place: Int64 = 0
        for call in calls where !call.isOver {
            call.finish(
                .success(.integers(calls.count == 1 ? alone(numbers, from: start) : one(at: place, of: granted, numbers, from: start)))
            )
            place += 1
        }
    }

    private func alone(_ numbers: [Int64], from start: Int) -> [Int64] {
        var own: [Int64] = []
        own.reserveCapacity(2 + part.width)
        own.append(contentsOf: numbers[..<2])
        own.append(contentsOf: numbers[start..<start + part.width])
        return own
    }

    /// What the request at a place, from 0 on, is told.
    private func one(at place: Int64, of granted: Int64, _ numbers: [Int64], from start: Int) -> [Int64] {
        var own = alone(numbers, from: start)
        own[2] = place < granted ? 1 : 0
        for (index, cost) in part.costs.enumerated() {
            let at = 3 + index * ScriptCall.readingWidth
            let fit = own[at]
            let charged = min(granted, fit)
            // Behind the last that was granted, all find what it left.
            let before = min(place, granted)
            own[at] = fit > before ? 1 : 0
            // What those behind it took was still there.
            let later = max(0, charged - 1 - min(place, charged))
            own[at + 1] += later * cost
            if place < granted, place + 1 < fit { own[at + 2] = 0 }
        }
        return own
    }
}
