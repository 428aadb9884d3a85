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
        case authenticate, select, setName, checkRole, loadScript
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
        /// The node does not serve the call's slot, or not now.
        case redirect(Attempt, RedisFault)
        /// Close: call `close` for those who still wait.
        case close(LimiterError)
    }

    enum Purpose {
        case greeting(GreetingCommand, isLast: Bool)
        case reload
        case asking
        /// A call, and how many times the script had been loaded when it was sent.
        case call(Attempt, scriptLoads: Int)
    }

    struct Owed {
        let purpose: Purpose
        let sentAt: NIODeadline
    }

    /// How far the connection is.
    var state = State.connecting

    /// Whether a reply to a call ever came that was no refusal of the connection.
    var hasServed = false

    let digest: String
    var owed = CircularBuffer<Owed>()
    var scriptLoads = 0
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
    /// Notes the greeting as sent.
    ///
    /// False when the connection is over already.
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

    /// Notes a call as sent.
    ///
    /// False when none may be sent.
    mutating func send(_ attempt: Attempt, at now: NIODeadline) -> Bool {
        switch state {
        case .ready:
            if attempt.isAsking { owed.append(Owed(purpose: .asking, sentAt: now)) }
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
            case .greeting, .reload, .asking: nil
            }
        }
    }
}
