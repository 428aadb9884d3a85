import Metrics
import Synchronization

/// Metrics kept in memory: what counters counted, and what timers were told.
final class MemoryMetrics: MetricsFactory {
    private let counts = Mutex<[String: Int64]>([:])
    private let times = Mutex<[String: [Int64]]>([:])

    /// What counters counted, by `name{label=value,...}`.
    var counters: [String: Int64] { counts.withLock { $0 } }

    /// What timers were told, in nanoseconds.
    var timers: [String: [Int64]] { times.withLock { $0 } }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Count(name: MemoryMetrics.name(label, dimensions), metrics: self)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Times(name: MemoryMetrics.name(label, dimensions), metrics: self)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}

    private static func name(_ label: String, _ dimensions: [(String, String)]) -> String {
        let labels = dimensions.map { "\($0.0)=\($0.1)" }.sorted().joined(separator: ",")
        return labels.isEmpty ? label : "\(label){\(labels)}"
    }

    private final class Count: CounterHandler {
        private let name: String
        private let metrics: MemoryMetrics

        init(name: String, metrics: MemoryMetrics) { (self.name, self.metrics) = (name, metrics) }

        func increment(by amount: Int64) { metrics.counts.withLock { $0[name, default: 0] += amount } }
        func reset() { metrics.counts.withLock { $0[name] = 0 } }
    }

    private final class Times: TimerHandler {
        private let name: String
        private let metrics: MemoryMetrics

        init(name: String, metrics: MemoryMetrics) { (self.name, self.metrics) = (name, metrics) }

        func recordNanoseconds(_ duration: Int64) { metrics.times.withLock { $0[name, default: []].append(duration) } }
    }
}
