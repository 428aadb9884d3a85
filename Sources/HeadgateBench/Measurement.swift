package import HeadgateJSON

/// What was measured.
package struct Measurement: Sendable {
    /// Decisions that came within the time, errors not counted.
    var decisions: UInt64 { allowed + denied }
    var allowed: UInt64 = 0
    var denied: UInt64 = 0
    /// Requests without a decision by counts: Redis gave no answer in time.
    var errors: UInt64 = 0
    /// Why the last of them had none.
    var lastError: String?
    var times = Histogram()
    var seconds = 0.0
    /// Of this process, user and kernel.
    var clientCPUSeconds = 0.0
    /// Of the server, whoever it worked for.
    var redisCPUSeconds = 0.0
    var redisCalls: Int64 = 0

    /// Adds what another caller saw.
    mutating func add(_ other: Measurement) {
        allowed += other.allowed
        denied += other.denied
        errors += other.errors
        lastError = other.lastError ?? lastError
        times.add(other.times)
    }

    /// Whether nothing but errors came.
    package var isFailure: Bool { decisions == 0 }

    /// Why there was nothing but errors.
    package var failure: String {
        lastError.map { "Redis gave no answer: \($0)" } ?? "nothing was measured: interrupted, or no answer came within the time"
    }
}

extension Measurement {
    /// The figures by the names that programs know.
    package var json: JSONValue {
        [
            "decisions_per_second": .number(perSecond), "allowed": .integer(Int64(allowed)), "denied": .integer(Int64(denied)),
            "errors": .integer(Int64(errors)), "p50_us": .number(time(0.5)), "p99_us": .number(time(0.99)),
            "p999_us": .number(time(0.999)), "client_cpu_us": .number(perDecision(clientCPUSeconds)),
            "redis_cpu_us": .number(perDecision(redisCPUSeconds)), "redis_calls": .integer(redisCalls),
        ]
    }

    /// The figures in words.
    package var text: String {
        var lines = [
            "\(perSecond) decisions a second: \(allowed) allowed, \(denied) denied, \(errors) errors",
            "microseconds a decision takes: \(time(0.5)) half of them, \(time(0.99)) 99 %, \(time(0.999)) 99.9 %",
            "microseconds of CPU a decision: \(perDecision(clientCPUSeconds)) here, \(perDecision(redisCPUSeconds)) in Redis",
            "\(redisCalls) script calls in Redis",
        ]
        if let lastError { lines.append("the last error: \(lastError)") }
        return lines.joined(separator: "\n")
    }

    private var perSecond: String { Measurement.text(seconds > 0 ? Double(decisions) / seconds : 0, decimals: 10) }

    private func time(_ share: Double) -> String { Measurement.text(times.microseconds(at: share), decimals: 100) }

    private func perDecision(_ seconds: Double) -> String {
        Measurement.text(decisions > 0 ? seconds * 1_000_000 / Double(decisions) : 0, decimals: 1_000)
    }

    private static func text(_ number: Double, decimals: Double) -> String { "\((number * decimals).rounded() / decimals)" }
}
