internal import Headgate
internal import NIOCore

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
            case .asking: return .none  // What it was to open says itself whether it did.
            case .call(let attempt, let scriptLoads): return answered(attempt, sentAfter: scriptLoads, reply)
            }
        }
    }

    private mutating func greeted(_ command: GreetingCommand, _ reply: RedisReply, isLast: Bool) -> Action {
        switch (reply, command) {
        case (.fault(let fault), .setName) where fault.consequence != .leaveConnection,
            (.fault(let fault), .checkRole) where fault.kind == .noPermission || fault.kind == .other:
            break  // An ACL may not let us have a name, or ask for the role: whoever looks at the server's rights says so.
        case (.fault(let fault), .authenticate):
            let code = fault.kind == .other ? LimiterError.Code.authentication : fault.code
            return .close(LimiterError(code, "Redis refused to authenticate us: \(fault.text)"))
        case (.fault(let fault), .select) where fault.kind == .other:
            return .close(LimiterError(.badRequest, "Redis refused the database: \(fault.text)"))
        case (.fault(let fault), .select), (.fault(let fault), .setName), (.fault(let fault), .loadScript),
            (.fault(let fault), .checkRole):
            return .close(fault.refusal)
        case (.value(let value), .loadScript) where value.text != digest:
            return .close(LimiterError(.wireProtocol, "Redis loaded another script than it was sent"))
        case (.value(let value), .checkRole) where value.elements?.first?.text != "master":
            return .close(LimiterError(.readOnly, "the server is no master: what it decided would not count"))
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
            case .loadScript, .redirect, .report: break  // The calls behind it say the same, to those who wait.
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
            switch fault.consequence {
            case .leaveConnection: drain(because: fault.code)
            case .redirect: return .redirect(attempt, fault)
            case .loadScript, .report: break
            }
            return .fail(call, fault.commandError)
        case (.anything, .integers), (.anything, .value):
            hasServed = true
            return .complete(call, reply)
        case (.integers(let count, let nonce), .integers(let numbers)):
            guard numbers.first == nonce else { return desynchronised(attempt, "another request's nonce") }
            guard numbers.count == count else {
                owed.prepend(Owed(purpose: .call(attempt, scriptLoads: loads), sentAt: .uptimeNanoseconds(0)))
                let message = "the script answered \(numbers.count) numbers; expected \(count)"
                return .close(LimiterError(.wireProtocol, message, charge: .unknown))
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
        case .redirect:
            return .redirect(attempt, fault)
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
