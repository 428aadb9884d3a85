internal import Headgate
internal import NIOCore
internal import Synchronization

/// One command on its way to Redis and back, and the caller that waits for it.
///
/// Its caller may give up at any time and is answered at once; the call stays in its place until its reply comes, which is
/// then dropped.
final class Call: Sendable {
    typealias Answer = Result<RedisReply, LimiterError>
    /// Takes the answer, once, on any thread; it resumes a continuation and does nothing else.
    typealias Caller = @Sendable (Answer) -> Void

    /// What a reply has to look like.
    enum Expectation: Sendable, Hashable {
        /// So many integers, the first of them this nonce.
        case integers(count: Int, nonce: Int64)
        /// Anything: the command is not our script.
        case anything
    }

    /// The bytes on the wire.
    let frame: [UInt8]
    /// What the reply has to look like.
    let expectation: Expectation
    /// When the caller is answered at the latest.
    let deadline: NIODeadline
    /// The cluster's slot of its keys; `nil` where that makes no difference.
    let slot: Int?
    /// What it is as a part of a call of several decisions; its frame is empty then.
    let part: DecisionPart?

    private let share: Load.Share
    private let state = Mutex(State())

    fileprivate struct State {
        var phase = Phase.made
        /// The lane that it was last given to.
        weak var lane: Lane?
    }

    fileprivate enum Phase {
        case made
        case queued(Caller?)
        case sent(Caller?)
        case over(LimiterError?)
    }

    init(
        frame: [UInt8],
        expecting expectation: Expectation,
        deadline: NIODeadline,
        slot: Int? = nil,
        part: DecisionPart? = nil,
        share: consuming Load.Share
    ) {
        self.frame = frame
        self.expectation = expectation
        self.deadline = deadline
        self.slot = slot
        self.part = part
        self.share = share
    }
}

extension Call {
    /// Begins the wait of a caller, or of nobody.
    ///
    /// False when the caller gave up before: it has been answered.
    func begin(_ caller: Caller?) -> Bool {
        let gaveUp: LimiterError? = state.withLock { state in
            switch state.phase {
            case .made:
                state.phase = .queued(caller)
                return nil
            case .queued, .sent, .over(nil):
                preconditionFailure("a call begins once")
            case .over(let error):
                return error
            }
        }
        guard let gaveUp else { return true }
        answer(caller, .failure(gaveUp))
        return false
    }

    /// Has the call submitted, and waits for its answer; cancelling the task gives it up.
    func answer(_ submit: @Sendable (Attempt) -> Void) async -> Answer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                if begin({ caller.resume(returning: $0) }) { submit(Attempt(self)) }
            }
        } onCancel: {
            giveUp(.cancelled, "the calling task was cancelled")
        }
    }

    /// Marks the call as handed to the network.
    ///
    /// False when its caller gave up: it must not be sent.
    func markSent() -> Bool {
        state.withLock { state in
            switch state.phase {
            case .queued(let caller):
                state.phase = .sent(caller)
                return true
            case .over:
                return false
            case .made, .sent:
                preconditionFailure("a call is sent from the queue")
            }
        }
    }

    /// Marks a sent call as waiting again: Redis certainly did not run it.
    ///
    /// False when its caller gave up.
    func markQueued() -> Bool {
        state.withLock { state in
            switch state.phase {
            case .sent(let caller):
                state.phase = .queued(caller)
                return true
            case .over:
                return false
            case .made, .queued:
                preconditionFailure("a call goes back after it was sent")
            }
        }
    }

    /// Ends the call with its answer; nothing happens when it is over.
    func finish(_ answer: Answer) {
        let caller = state.withLock { $0.end(nil) }
        self.answer(caller, answer)
    }

    /// Ends the call for its caller before an answer came; whether it was sent decides what is known of its charge.
    func giveUp(_ code: LimiterError.Code, _ message: String) {
        let (caller, error) = state.withLock { state in
            let error = LimiterError(code, message, charge: state.isSent ? .unknown : .notCharged)
            return (state.end(error), error)
        }
        answer(caller, .failure(error))
    }

    /// Whether it is a call of the script: a decision, or what is done about one.
    var isOfScript: Bool { part != nil || expectation != .anything }

    /// Whether nobody waits any more.
    var isOver: Bool {
        state.withLock { state in
            if case .over = state.phase { true } else { false }
        }
    }

    /// The lane that it was last given to.
    var lane: Lane? {
        get { state.withLock { $0.lane } }
        set { state.withLock { $0.lane = newValue } }
    }

    /// The only place where a caller is resumed; each path here has just taken it out of the state.
    private func answer(_ caller: Caller?, _ answer: Answer) {
        caller?(answer)
    }
}

extension Call.State {
    fileprivate var isSent: Bool {
        if case .sent = phase { true } else { false }
    }

    /// Ends the call and hands out its caller, when there is one to be answered.
    fileprivate mutating func end(_ error: LimiterError?) -> Call.Caller? {
        switch phase {
        case .made:
            // The caller is about to begin, and is answered there.
            phase = .over(error ?? LimiterError(.cancelled, "the call ended before it began"))
            return nil
        case .queued(let caller), .sent(let caller):
            phase = .over(nil)
            return caller
        case .over:
            return nil
        }
    }
}
