/// When the units of a sliding window come back, learnt from one's own requests: servers tell it in whole seconds only.
///
/// In a window that slides each unit comes back one window after it was used. Then the reset that an answer names, which is at most a
/// second late by rounding, less the time of the oldest request that still counts, is the window's length or up to a second more:
/// the smallest such difference is a safe length. In any other window these differences contradict each other sooner or later, and
/// nothing more is concluded; so it is after one denial.
struct Window: Sendable {
    /// Of limits above this nothing is learnt: seconds make no difference there, and memory is bounded.
    static let mostUnits: Int64 = 1_024

    private struct Use: Sendable {
        var sent: Duration
        var received: Duration
    }

    /// The requests that were charged, the latest last.
    private var uses: [Use] = []
    /// The most that the length can be.
    private var most: Duration?
    /// The least that the length can be.
    private var least: Duration = .zero
    private(set) var isTrusted = true

    /// A denial shows that something was concluded wrongly.
    mutating func doubt() {
        isTrusted = false
        uses = []
    }

    /// A request was charged between two times.
    mutating func add(sent: Duration, received: Duration, length: Duration?) {
        guard isTrusted else { return }
        if let length { most = min(most ?? length, length) }
        let index = uses.lastIndex { $0.sent <= sent }.map { $0 + 1 } ?? 0
        uses.insert(Use(sent: sent, received: received), at: index)
        if uses.count > Int(Window.mostUnits) { uses.removeFirst() }
    }

    /// The server says that so many units are used and that the oldest comes back by a time.
    mutating func learn(used: Int64, reset: Duration?) {
        guard isTrusted, let reset, used >= 1, used <= uses.count else { return }
        let oldest = uses[uses.count - Int(used)]
        most = min(most ?? reset - oldest.sent, reset - oldest.sent)
        least = max(least, reset - .seconds(1) - oldest.received)
        if let most, least > most + .milliseconds(100) { doubt() }
    }

    /// When the oldest of so many used units comes back; nil when that is not known.
    func `return`(ofUnit used: Int64) -> Duration? {
        guard isTrusted, let most, used >= 1, used <= uses.count, let latest = uses.last else { return nil }
        let back = uses[uses.count - Int(used)].received + most
        // Had it come back before the latest answer, the server would not have counted it.
        return back > latest.received ? back : nil
    }
}
