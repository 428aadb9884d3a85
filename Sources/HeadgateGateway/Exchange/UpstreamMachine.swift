import NIOCore

/// What the upstream's connection waits for, and until when; it neither reads a clock nor a connection.
struct UpstreamMachine {
    private enum Stage {
        /// No request is under way.
        case idle
        /// The answer's head is missing.
        case waiting
        /// The answer's end is missing.
        case receiving
        /// The answer has ended before its request.
        case sending
    }

    private let responseTimeout: TimeAmount
    private let idleTimeout: TimeAmount
    private var stage = Stage.idle
    private var isSent = true
    private var since = NIODeadline.now()
    private var wantedSince: NIODeadline?

    init(_ upstream: Upstream) {
        responseTimeout = TimeAmount(upstream.responseTimeout)
        idleTimeout = TimeAmount(upstream.idleTimeout)
    }

    /// Whether no request is under way.
    var isIdle: Bool { stage == .idle }

    /// Whether a request is not written to its end.
    var isSending: Bool { !isSent }

    /// Whether somebody waits for what the upstream sends.
    var isWanted: Bool { wantedSince != nil }

    /// When the upstream's time is up, as far as it can be told now.
    var deadline: NIODeadline? {
        switch stage {
        case .idle: nil
        case .waiting: since + responseTimeout
        case .receiving: wantedSince.map { max($0, since) + idleTimeout }
        case .sending: since + idleTimeout
        }
    }

    mutating func requestHead(at now: NIODeadline) {
        stage = .waiting
        isSent = false
        since = now
        // A new connection has been asked to read before anybody could see it.
        wants(at: now)
    }

    mutating func requestEnd(at now: NIODeadline) {
        isSent = true
        since = now
        if stage == .sending { stage = .idle }
    }

    mutating func answerHead(at now: NIODeadline) {
        stage = .receiving
        since = now
    }

    mutating func answerEnd(at now: NIODeadline) {
        stage = isSent ? .idle : .sending
        since = now
    }

    /// A part of the request is written, or one of the answer has come.
    mutating func progress(at now: NIODeadline) { since = now }

    mutating func wants(at now: NIODeadline) { wantedSince = wantedSince ?? now }

    mutating func wantsNoMore() { wantedSince = nil }
}
