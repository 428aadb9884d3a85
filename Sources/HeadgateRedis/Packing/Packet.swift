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
        var decisions = ShapeRuns<Shape>()
        for group in groups { decisions.append(Shape(count: Int64(group.calls.count), part: group.part)) }
        let keyCount = groups.reduce(0) { $0 + $1.part.keyCount }
        let argumentCount = decisions.shapes.reduce(0) { $0 + 1 + $1.part.argumentCount } + 1 + 2 * decisions.runs.count
        var bytes = BulkStrings(
            headOf: 6 + keyCount + argumentCount,
            capacity: groups.reduce(200) { $0 + $1.part.bytes.keys.count }
                + decisions.shapes.reduce(16 * decisions.runs.count) { $0 + 16 + $1.part.bytes.arguments.count }
        )
        bytes.append("EVALSHA")
        bytes.append(context.script.digest)
        bytes.append(Int64(keyCount))
        for group in groups { bytes.append(framed: group.part.bytes.keys) }
        bytes.append(context.nonce)
        bytes.append(ScriptContext.Operation.decide.rawValue)
        bytes.append(Int64(decisions.shapes.count))
        for shape in decisions.shapes {
            bytes.append(shape.count)
            bytes.append(framed: shape.part.bytes.arguments)
        }
        bytes.append(Int64(decisions.runs.count))
        for run in decisions.runs {
            bytes.append(Int64(run.shape + 1))
            bytes.append(Int64(run.times))
        }
        return bytes.bytes
    }

    /// What decisions have in common but for their keys.
    private struct Shape: Equatable {
        let count: Int64
        let part: DecisionPart

        static func == (left: Shape, right: Shape) -> Bool {
            left.count == right.count && left.part.bytes.arguments == right.part.bytes.arguments
        }
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
        for (index, charge) in part.charges.enumerated() {
            let at = 3 + index * ScriptCall.readingWidth
            let fit = own[at]
            let charged = min(granted, fit)
            // Behind the last that was granted, all find what it left.
            let before = min(place, granted)
            own[at] = fit > before ? 1 : 0
            // What those behind it took was still there.
            let later = max(0, charged - 1 - min(place, charged))
            own[at + 1] += later * charge.cost
            if place < granted, place + 1 < fit { own[at + 2] = 0 }
        }
        return own
    }
}
