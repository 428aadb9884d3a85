import Headgate
import NIOCore

@testable import HeadgateRedis

/// A machine behind a reference: expectations cannot hold calls that change a value.
final class DrivenMachine {
    private var machine = ConnectionMachine(scriptDigest: "abc")

    var state: ConnectionMachine.State { machine.state }
    var owedCount: Int { machine.owedCount }
    var isSpent: Bool { machine.isSpent }
    var isAwaited: Bool { machine.isAwaited }

    func greet(_ commands: [ConnectionMachine.GreetingCommand], at now: NIODeadline) -> Bool { machine.greet(commands, at: now) }
    func send(_ attempt: Attempt, at now: NIODeadline) -> Bool { machine.send(attempt, at: now) }
    func load(at now: NIODeadline) { machine.load(at: now) }
    func receive(_ reply: RedisReply) -> ConnectionMachine.Action { machine.receive(reply) }
    func close() -> [Call] { machine.close() }
    func overdue(at now: NIODeadline) -> (calls: [Call], next: NIODeadline?) { machine.overdue(at: now) }
    func stalls(after timeout: TimeAmount) -> NIODeadline? { machine.stalls(after: timeout) }
}

/// A lane's reconnection behind a reference.
final class DrivenReconnection {
    private var reconnection: Reconnection

    init(isLeader: Bool) { reconnection = Reconnection(isLeader: isLeader, backoff: .init()) }

    var phase: Reconnection.Phase { reconnection.phase }
    var failures: Int { reconnection.failures }
    var wakesAt: NIODeadline? { reconnection.wakesAt }

    func start(at now: NIODeadline, random: Double) -> Reconnection.Action { reconnection.start(at: now, random: random) }
    func stop() { reconnection.stop() }
    func connected(at now: NIODeadline) { reconnection.connected(at: now) }
    func demanded(at now: NIODeadline) -> Reconnection.Action { reconnection.demanded(at: now, random: 0.5) }

    func tick(at now: NIODeadline, othersUp: Bool, random: Double) -> Reconnection.Action {
        reconnection.tick(at: now, othersUp: othersUp, random: random)
    }

    func ended(_ error: LimiterError, hadServed: Bool, at now: NIODeadline, othersUp: Bool, random: Double) -> Reconnection.Action {
        reconnection.ended(error, hadServed: hadServed, at: now, othersUp: othersUp, random: random)
    }
}
