internal import Headgate
internal import NIOCore

/// What is known of a node from looking at it.
struct NodeView {
    /// How many connections had been made when it was looked at last.
    var connections = 0
    var inspectedAt: NIODeadline?
    /// Whether it may be used.
    var isFit = true
    /// The server process.
    var runID: String?
    var evictedKeys: Int64?
    /// The canary, and when it was renewed.
    var lease: Lease?
    var renewedAt: NIODeadline?
    var clock = ClockWatch()
    private var counts: [(at: NIODeadline, instances: Int)] = []

    /// The canary is to be another one.
    mutating func forgetLease() { renewedAt = nil }

    /// Notes how many instances were seen, and says how many there are.
    ///
    /// That is the most of late: after an outage instances come back one by one, and nobody's share is to grow meanwhile.
    mutating func count(_ instances: Int, at now: NIODeadline) -> Int {
        counts.removeAll { now - $0.at > TimeAmount(StateWatch.lifetime) }
        counts.append((now, max(1, instances)))
        return counts.map(\.instances).max() ?? 1
    }
}

/// Sees the server's clock step, by comparing it with a clock that does not.
struct ClockWatch {
    /// Which way the clock stepped.
    enum Step: String, Sendable, Hashable {
        case forward, backward
    }

    /// What the clocks may drift apart between two looks, in microseconds.
    static let tolerance: Int64 = 250_000

    /// Between what the server's time less ours lay at the last look, in microseconds.
    private var offset: ClosedRange<Int64>?

    /// Notes the server's time, read some time between two instants of ours.
    mutating func step(_ time: Int64, sentAt sent: NIODeadline, receivedAt received: NIODeadline) -> Step? {
        let sent = Int64(sent.uptimeNanoseconds / 1_000)
        let received = max(sent, Int64(received.uptimeNanoseconds / 1_000))
        let now = (time - received)...(time - sent)
        defer { offset = now }
        guard let offset else { return nil }
        if now.lowerBound > offset.upperBound + ClockWatch.tolerance { return .forward }
        return now.upperBound < offset.lowerBound - ClockWatch.tolerance ? .backward : nil
    }
}
