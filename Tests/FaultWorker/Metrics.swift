import Foundation
import Metrics
import Synchronization

/// Metrics kept in memory: what counters counted, what gauges were last set to, how many times timers ran.
final class MemoryMetrics: MetricsFactory {
    private let values = Mutex<[String: Double]>([:])

    /// All values by `name{label=value,...}`; a timer is its name and `_count`.
    var snapshot: [String: Double] { values.withLock { $0 } }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { series(label, dimensions) }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(aggregate ? label + "_count" : label, dimensions, isGauge: !aggregate)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { series(label + "_count", dimensions) }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private func series(_ label: String, _ dimensions: [(String, String)], isGauge: Bool = false) -> Series {
        let labels = dimensions.map { "\($0.0)=\($0.1)" }.sorted().joined(separator: ",")
        return Series(name: labels.isEmpty ? label : "\(label){\(labels)}", isGauge: isGauge, metrics: self)
    }

    fileprivate func change(_ name: String, _ body: (inout Double) -> Void) {
        values.withLock { body(&$0[name, default: 0]) }
    }
}

/// One series, whatever its kind.
private final class Series: CounterHandler, RecorderHandler, TimerHandler {
    private let name: String
    private let isGauge: Bool
    private let metrics: MemoryMetrics

    init(name: String, isGauge: Bool, metrics: MemoryMetrics) {
        (self.name, self.isGauge, self.metrics) = (name, isGauge, metrics)
    }

    func increment(by amount: Int64) { metrics.change(name) { $0 += Double(amount) } }
    func reset() { metrics.change(name) { $0 = 0 } }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { metrics.change(name) { $0 = isGauge ? value : $0 + 1 } }
    func recordNanoseconds(_ duration: Int64) { metrics.change(name) { $0 += 1 } }
}

/// What the system says of this process.
struct Footprint: Encodable, Sendable {
    /// Open file descriptors.
    var fds: Int
    /// Resident bytes.
    var rss: Int
    /// The signals that are ignored, as a hexadecimal mask.
    var ignored: String

    static var now: Footprint {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        func field(_ name: String) -> String {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") } ?? ""
            return line.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
        }
        let fds = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        let pages = Int(field("VmRSS").prefix { $0.isNumber }) ?? 0
        return Footprint(fds: fds, rss: pages * 1_024, ignored: field("SigIgn"))
    }
}

/// A line of metrics on standard output.
struct Report: Encodable, Sendable {
    var metrics: [String: Double]
    var footprint: Footprint
    var records: Int64
    var final: Bool
}
