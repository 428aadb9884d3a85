internal import Headgate
internal import NIOCore

/// Puts decisions that wait together into one call, and those that are equal into one decision with a count.
///
/// While a decision is under way, equal ones wait for its answer and then go together: a subject however hot has one call under
/// way. While two packets are under way, others wait for the answer of one until they fill a packet. Nothing else is waited for, and
/// no time: a lone decision leaves at once. Lives on its lane's event loop.
struct Packer {
    /// The most equal decisions that are judged as one: handing out their answers takes the event loop a while.
    static let mostEqual = 512

    /// Equal decisions that wait for one that is under way.
    private final class Flight {
        var waiting: [Call] = []
        /// Where the decision stands in the packet that is being made; `nil` once it is under way.
        var place: Int?
    }

    private var flights: [DecisionPart.Bytes: Flight] = [:]
    /// Those of them for which somebody waits.
    private var crowded: [ObjectIdentifier: Flight] = [:]
    /// The packets that are under way, by their numbers.
    private var flying: [Int: Packet] = [:]
    private var packet = Packet()
    private var made: [Packet] = []
    private var lastNumber = 0

    /// The most packets under way while decisions wait for company: one that Redis works at, and one that it finds then.
    static let mostUnderWay = 2

    /// Whether so many decisions are to wait for the answer of those that are under way, so that they travel together with others.
    func holdsBack(_ waiting: Int) -> Bool { flying.count >= Packer.mostUnderWay && waiting < ScriptCall.mostDecisions }

    /// Whether somebody waits for an equal decision's answer.
    var isCrowded: Bool { !crowded.isEmpty }

    /// Takes a decision.
    mutating func take(_ call: Call, _ part: DecisionPart) {
        guard part.isMergeable else {
            if call.markSent() { _ = append(call, part) }
            return
        }
        if let flight = flights[part.bytes] {
            if let place = flight.place, packet.groups[place].calls.count < Packer.mostEqual {
                if call.markSent() { packet.append(call, toGroup: place) }
            } else {
                flight.waiting.append(call)
                crowded[ObjectIdentifier(flight)] = flight
            }
            return
        }
        guard call.markSent() else { return }
        let flight = Flight()
        flight.place = append(call, part)
        flights[part.bytes] = flight
    }

    /// Adds a decision to the packet that is being made, or to the next; says where it stands.
    private mutating func append(_ call: Call, _ part: DecisionPart) -> Int {
        let isFull = packet.groups.count >= ScriptCall.mostDecisions || packet.integers + part.width > ScriptCall.mostIntegers
        // In a cluster each goes alone: keys of several subjects, even in one slot, cannot be served while it moves.
        if isFull || call.slot != nil { seal() }
        return packet.append(call, part)
    }

    /// Ends the packet that is being made.
    private mutating func seal() {
        guard !packet.groups.isEmpty else { return }
        for group in packet.groups where group.part.isMergeable { flights[group.part.bytes]?.place = nil }
        lastNumber += 1
        packet.number = lastNumber
        flying[lastNumber] = packet
        made.append(packet)
        packet = Packet()
    }

    /// Hands out the packets that are made: they are under way now.
    mutating func takeMade() -> [Packet] {
        seal()
        defer { made.removeAll(keepingCapacity: true) }
        return made
    }

    /// A packet has its answer: hands out those who waited for its decisions.
    mutating func landed(_ packet: Packet) -> [Call] {
        flying[packet.number] = nil
        var released: [Call] = []
        for group in packet.groups where group.part.isMergeable {
            guard let flight = flights.removeValue(forKey: group.part.bytes), !flight.waiting.isEmpty else { continue }
            crowded[ObjectIdentifier(flight)] = nil
            released += flight.waiting
        }
        return released
    }

    /// Gives up those whose deadline has come, and says when the next one does and how many they were.
    mutating func expire(at now: NIODeadline) -> (next: NIODeadline?, expired: Int) {
        var next: NIODeadline?
        var expired = 0
        for flight in crowded.values {
            flight.waiting.removeAll {
                $0.expires(at: now, &next, &expired, "an equal decision before it had no answer within the deadline")
            }
        }
        for (number, packet) in flying where packet.deadline < .distantFuture {
            guard packet.deadline <= now else {
                next = min(next ?? packet.deadline, packet.deadline)
                continue
            }
            var earliest: NIODeadline?
            for group in packet.groups {
                for call in group.calls { _ = call.expires(at: now, &earliest, &expired, "Redis did not answer within the deadline") }
            }
            flying[number]?.deadline = earliest ?? .distantFuture
            if let earliest { next = min(next ?? earliest, earliest) }
        }
        return (next, expired)
    }
}

extension Call {
    /// Gives the call up when its deadline has come; true when nobody waits any more.
    fileprivate func expires(at now: NIODeadline, _ next: inout NIODeadline?, _ expired: inout Int, _ message: String) -> Bool {
        if isOver { return true }
        guard deadline > now else {
            expired += 1
            giveUp(.deadlineExceeded, message)
            return true
        }
        next = min(next ?? deadline, deadline)
        return false
    }
}
