import NIOCore

/// What a client is waited for, and until when; it neither reads a clock nor a connection.
///
/// ```
/// fresh ----head---> reading --end--> answering --end of the answer--> idle --head--> reading ...
///   | head              | body             | idle, while unwritable      | idle
///   v                   v                  v                             v
///  408 ------------> ending <--------------+-----------------------------+      -- linger --> closed
/// ```
struct ClientMachine {
    /// What is to be done when time is up.
    enum Verdict: Equatable {
        case wait, refuse, end, close
    }

    private let patience: ClientPatience
    private var isFresh = true
    private var isReading = false
    private var isAnswering = false
    private var unanswered = 0
    private var idleSince: NIODeadline
    /// What is left of the patience for the body's next part; it is used up only while somebody waits for it.
    private var credit = TimeAmount.zero
    private var wantedSince: NIODeadline?
    private var blockedSince: NIODeadline?
    private var drainEnd: NIODeadline?
    private var endingSince: NIODeadline?

    init(patience: ClientPatience, now: NIODeadline) {
        self.patience = patience
        idleSince = now
    }

    /// Whether nothing is read and written any more.
    var isEnding: Bool { endingSince != nil }

    /// Whether a request's end is missing.
    var isInRequest: Bool { isReading }

    /// Whether no request waits for its answer's end.
    var isAnswered: Bool { unanswered == 0 }

    /// When the client's time is up, as far as it can be told now.
    var deadline: NIODeadline? {
        if let endingSince { return endingSince + TimeAmount(patience.linger) }
        if !isReading && isAnswered { return idleSince + TimeAmount(isFresh ? patience.head : patience.idle) }
        let part = isReading ? wantedSince.map { $0 + credit } : nil
        return [part, drainEnd, blockedSince.map { $0 + TimeAmount(patience.idle) }].compactMap { $0 }.min()
    }

    /// What is to be done with a client at this time.
    func verdict(at now: NIODeadline) -> Verdict {
        guard let deadline, now >= deadline else { return .wait }
        if isEnding { return .close }
        if isFresh { return .refuse }
        return isReading && unanswered == 1 && !isAnswering ? .refuse : .end
    }

    mutating func requestHead(at now: NIODeadline) {
        isFresh = false
        isReading = true
        unanswered += 1
        requestPart(at: now)
    }

    mutating func requestPart(at now: NIODeadline) {
        credit = TimeAmount(patience.body)
        if wantedSince != nil { wantedSince = now }
    }

    mutating func requestEnd(at now: NIODeadline) {
        isReading = false
        drainEnd = nil
        if isAnswered { idleSince = now }
    }

    /// Somebody waits for more of the request.
    mutating func wants(at now: NIODeadline) {
        if wantedSince == nil { wantedSince = now }
    }

    /// What had come was passed on, and nobody has asked for more yet.
    mutating func wantsNoMore(at now: NIODeadline) {
        if let wantedSince { credit = credit - (now - wantedSince) }
        wantedSince = nil
    }

    mutating func answerHead() { isAnswering = true }

    /// The oldest answer has ended; after a refusal the rest of its request is not waited for much longer.
    mutating func answerEnd(at now: NIODeadline, isRefusal: Bool) {
        isAnswering = false
        unanswered = max(unanswered - 1, 0)
        guard isAnswered else { return }
        idleSince = now
        if isReading && isRefusal { drainEnd = now + TimeAmount(patience.body) }
    }

    /// The client takes what is written, or has stopped to.
    mutating func writability(_ isWritable: Bool, at now: NIODeadline) {
        blockedSince = isWritable ? nil : blockedSince ?? now
    }

    mutating func end(at now: NIODeadline) {
        if endingSince == nil { endingSince = now }
    }
}
