internal import Headgate
internal import NIOCore

/// The logic of one connection, without I/O and without a clock: what was sent, in which order, and what a reply means.
struct ConnectionMachine {
    /// How far the connection is.
    enum State: Sendable, Hashable {
        /// No bytes have been exchanged.
        case connecting
        /// The greeting's answers are awaited.
        case greeting
        /// Calls are sent.
        case ready
        /// The server cannot serve us, the code says why: no more calls are sent, and the owed replies are awaited, since
        /// each says that its call was not run.
        case draining(LimiterError.Code)
        /// It is over.
        case closed
    }

    /// A command of the greeting: what is sent before any call.
    enum GreetingCommand: Sendable, Hashable {
        case authenticate, select, setName, loadScript
    }

    /// What the shell has to do after a reply.
    enum Action {
        /// Nothing.
        case none
        /// The greeting is done: send what waits.
        case becomeReady
        /// Hand the reply to the caller.
        case complete(Call, RedisReply)
        /// Hand the error to the caller.
        case fail(Call, LimiterError)
        /// Send the call again here, behind a new load of the script when `loadingScript`.
        case sendAgain(Attempt, loadingScript: Bool)
        /// Send the call on the next connection.
        case handOver(Attempt)
        /// Close: call `close` for those who still wait.
        case close(LimiterError)
    }

    enum Purpose {
        case greeting(GreetingCommand, isLast: Bool)
        case reload
        /// A call, and how many times the script had been loaded when it was sent.
        case call(Attempt, scriptLoads: Int)
    }

    struct Owed {
        let purpose: Purpose
        let sentAt: NIODeadline
    }

    /// How far the connection is.
    private(set) var state = State.connecting

    /// Whether a reply to a call ever came that was no refusal of the connection.
    private(set) var hasServed = false

    private let digest: String
    var owed = CircularBuffer<Owed>()
    private var scriptLoads = 0
    /// How many of the first entries of `owed` nobody waits for; they need not be looked at for their deadlines.
    var settled = 0

    init(scriptDigest: String) { digest = scriptDigest }

    /// How many replies are owed.
    var owedCount: Int { owed.count }

    /// Whether the connection has nothing left to wait for.
    var isSpent: Bool {
        switch state {
        case .draining: owed.isEmpty
        case .connecting, .greeting, .ready, .closed: false
        }
    }
}

// MARK: What is sent

extension ConnectionMachine {
    /// Notes the greeting as sent. False when the connection is over already.
    mutating func greet(_ commands: [GreetingCommand], at now: NIODeadline) -> Bool {
        switch state {
        case .connecting:
            state = .greeting
            scriptLoads = 1
            for (index, command) in commands.enumerated() {
                owed.append(Owed(purpose: .greeting(command, isLast: index == commands.count - 1), sentAt: now))
            }
            return true
        case .greeting, .ready, .draining, .closed:
            return false
        }
    }

    /// Notes a call as sent. False when none may be sent.
    mutating func send(_ attempt: Attempt, at now: NIODeadline) -> Bool {
        switch state {
        case .ready:
            owed.append(Owed(purpose: .call(attempt, scriptLoads: scriptLoads), sentAt: now))
            return true
        case .connecting, .greeting, .draining, .closed:
            return false
        }
    }

    /// Notes the script as sent to be loaded, because a call asked for it.
    mutating func load(at now: NIODeadline) {
        scriptLoads += 1
        owed.append(Owed(purpose: .reload, sentAt: now))
    }

    /// Sends no more calls, and is spent once the owed replies are there.
    mutating func drain(because code: LimiterError.Code) {
        switch state {
        case .connecting, .greeting, .ready: state = .draining(code)
        case .draining, .closed: break
        }
    }

    /// Ends the connection.
    ///
    /// - Returns: The calls whose replies are owed: whether Redis ran them is unknown.
    mutating func close() -> [Call] {
        state = .closed
        settled = 0
        defer { owed.removeAll() }
        return owed.compactMap { entry in
            switch entry.purpose {
            case .call(let attempt, _): attempt.call
            case .greeting, .reload: nil
            }
        }
    }
}

// MARK: What comes back

extension ConnectionMachine {
    /// What a reply means: it answers the oldest of what was sent.
    mutating func receive(_ reply: RedisReply) -> Action {
        switch state {
        case .connecting, .closed:
            return .close(ConnectionMachine.unasked(reply))
        case .greeting, .ready, .draining:
            guard let entry = owed.popFirst() else { return .close(ConnectionMachine.unasked(reply)) }
            settled = max(0, settled - 1)
            switch entry.purpose {
            case .greeting(let command, let isLast): return greeted(command, reply, isLast: isLast)
            case .reload: return reloaded(reply)
            case .call(let attempt, let scriptLoads): return answered(attempt, sentAfter: scriptLoads, reply)
            }
        }
    }

    private mutating func greeted(_ command: GreetingCommand, _ reply: RedisReply, isLast: Bool) -> Action {
        switch (reply, command) {
        case (.fault(let fault), .setName) where fault.consequence != .leaveConnection:
            break  // A name is not worth a connection: an ACL may not let us have one.
        case (.fault(let fault), .authenticate):
            let code = fault.kind == .other ? LimiterError.Code.authentication : fault.code
            return .close(LimiterError(code, "Redis refused to authenticate us: \(fault.text)"))
        case (.fault(let fault), .select) where fault.kind == .other:
            return .close(LimiterError(.badRequest, "Redis refused the database: \(fault.text)"))
        case (.fault(let fault), .select), (.fault(let fault), .setName), (.fault(let fault), .loadScript):
            return .close(fault.refusal)
        case (.value(let value), .loadScript) where value.text != digest:
            return .close(LimiterError(.wireProtocol, "Redis loaded another script than it was sent"))
        case (.integers, _):
            return .close(LimiterError(.wireProtocol, "Redis answered a greeting with numbers"))
        case (.value, _):
            break
        }
        guard isLast, state == .greeting else { return .none }
        state = .ready
        return .becomeReady
    }

    private mutating func reloaded(_ reply: RedisReply) -> Action {
        switch reply {
        case .value(let value) where value.text == digest:
            return .none
        case .fault(let fault):
            switch fault.consequence {
            case .leaveConnection: drain(because: fault.code)
            case .loadScript, .report: break  // The calls behind it say the same, to those who wait.
            }
            return .none
        case .value, .integers:
            return .close(LimiterError(.desynchronised, "Redis answered the loading of the script with something else"))
        }
    }

    private mutating func answered(_ attempt: Attempt, sentAfter loads: Int, _ reply: RedisReply) -> Action {
        let call = attempt.call
        switch (call.expectation, reply) {
        case (.anything, .fault(let fault)):
            if fault.consequence == .leaveConnection { drain(because: fault.code) }
            return .fail(call, fault.commandError)
        case (.anything, .integers), (.anything, .value):
            hasServed = true
            return .complete(call, reply)
        case (.integers(let count, let nonce), .integers(let numbers)):
            guard numbers.first == nonce else { return desynchronised(attempt, "another request's nonce") }
            guard numbers.count == count else {
                owed.prepend(Owed(purpose: .call(attempt, scriptLoads: loads), sentAt: .uptimeNanoseconds(0)))
                return .close(LimiterError(.wireProtocol, "the script answered \(numbers.count) numbers; expected \(count)", charge: .unknown))
            }
            hasServed = true
            return .complete(call, reply)
        case (.integers, .value):
            return desynchronised(attempt, "no nonce")
        case (.integers, .fault(let fault)):
            return refused(attempt, sentAfter: loads, fault)
        }
    }

    /// The reply belongs to somebody else, and so may all that follow: nobody gets them.
    private mutating func desynchronised(_ attempt: Attempt, _ what: String) -> Action {
        owed.prepend(Owed(purpose: .call(attempt, scriptLoads: scriptLoads), sentAt: .uptimeNanoseconds(0)))
        return .close(LimiterError(.desynchronised, "a reply of Redis carries \(what)", charge: .unknown))
    }

    private mutating func refused(_ attempt: Attempt, sentAfter loads: Int, _ fault: RedisFault) -> Action {
        switch fault.consequence {
        case .report:
            hasServed = true
            return .fail(attempt.call, fault.scriptError)
        case .loadScript:
            guard let next = attempt.afterReload else { return .fail(attempt.call, fault.scriptError) }
            // Calls that were sent before the newest load need no other one.
            return state == .ready ? .sendAgain(next, loadingScript: loads == scriptLoads) : .handOver(next)
        case .leaveConnection:
            drain(because: fault.code)
            guard let next = attempt.afterRefusal else { return .fail(attempt.call, fault.scriptError) }
            return .handOver(next)
        }
    }

    private static func unasked(_ reply: RedisReply) -> LimiterError {
        switch reply {
        case .fault(let fault): fault.refusal
        case .integers, .value: LimiterError(.desynchronised, "Redis sent a reply that nobody asked for")
        }
    }
}

extension RedisFault {
    /// What is said when the server refuses the connection as such.
    var refusal: LimiterError { LimiterError(code, "Redis refuses the connection: \(text)") }
}
