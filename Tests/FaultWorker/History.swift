import Foundation
import Headgate
import Synchronization

/// Nanoseconds of CLOCK_MONOTONIC, which processes of one machine share.
func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// What became of one decision: a line of the history.
struct Record: Encodable, Sendable {
    /// The worker.
    var w = ""
    /// Its sequence number.
    var n: Int64 = 0
    /// The limits, joined by `+`.
    var l: String
    /// The subject.
    var k: String
    /// Units.
    var c: Int64
    /// When it was called and when it returned.
    var s: Int64
    var e: Int64 = 0
    /// `A` admitted, `D` denied, `FO` and `FC` by the failure policies open and closed, `LA` and `LD` by local counts, `X` an
    /// error, `R` a release.
    var o = "X"
    /// Redis' time in microseconds.
    var t: Int64?
    /// What is left of each limit.
    var r: [Int64]?
    /// Microseconds to wait; absent when never.
    var ra: Int64?
    /// Why the store did not decide.
    var x: String?
    /// What is said of it.
    var m: String?
    /// Whether it was charged all the same: `no` or `unknown`.
    var ch: String?
    /// The lease that was taken or released.
    var lease: String?
    /// The burst that it belongs to.
    var b: Int64?
}

extension Record {
    /// Notes a decision.
    mutating func end(_ decision: Decision) {
        e = monotonicNanoseconds()
        t = decision.time?.microseconds
        lease = decision.lease?.id
        ra = decision.retryAfter?.wholeMicroseconds
        if let error = decision.degradation {
            note(error)
            o = decision.isAllowed ? "FO" : decision.outcome == .unavailable ? "FC" : "D"
        } else {
            o = decision.isAllowed ? "A" : "D"
            r = decision.limits.map { $0.remaining ?? -1 }
        }
    }

    /// Notes that there was none.
    mutating func end(_ error: LimiterError) {
        e = monotonicNanoseconds()
        o = "X"
        note(error)
    }

    private mutating func note(_ error: LimiterError) {
        x = error.code.description
        m = error.message
        ch = error.charge == .notCharged ? "no" : "unknown"
    }
}

/// The worker's file: one JSON object a line, written ten times a second, so that a kill loses little.
final class History: Sendable {
    private let name: String
    private let file: FileHandle
    private let state = Mutex(State())

    private struct State {
        var lines = Data()
        var sequence: Int64 = 0
    }

    init(path: String, name: String) throws {
        self.name = name
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path) else {
            throw LimiterError(.badRequest, "the history cannot be written")
        }
        self.file = file
    }

    func add(_ record: Record) {
        var record = record
        record.w = name
        state.withLock { state in
            state.sequence += 1
            record.n = state.sequence
            guard let line = try? JSONEncoder().encode(record) else { return }
            state.lines.append(line)
            state.lines.append(UInt8(ascii: "\n"))
        }
    }

    /// How many records there are.
    var count: Int64 { state.withLock { $0.sequence } }

    func flush() throws {
        try state.withLock { state in
            guard !state.lines.isEmpty else { return }
            try file.write(contentsOf: state.lines)
            state.lines.removeAll(keepingCapacity: true)
        }
    }

    /// Flushes until cancelled.
    func keepFlushing() async throws {
        while !Task.isCancelled {
            try flush()
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
