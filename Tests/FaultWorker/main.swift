// The library in a small program, for Tests/Faults: it decides by a plan and writes what became of each decision.
//
//     FaultWorker --redis URL --plan FILE --history FILE [--name NAME]
//
// Lines on standard input change what it does; answers and metrics are lines of JSON on standard output, logs go to
// standard error. It ends when its time is over, when told to, and with standard input.

import Foundation
import Headgate
import Logging
import Metrics

func argument(_ name: String, _ fallback: String? = nil) throws -> String {
    let arguments = CommandLine.arguments
    if let at = arguments.firstIndex(of: "--\(name)"), at + 1 < arguments.count { return arguments[at + 1] }
    guard let fallback else { throw LimiterError(.badRequest, "expected --\(name)") }
    return fallback
}

LoggingSystem.bootstrap { label in
    var handler = StreamLogHandler.standardError(label: label)
    handler.logLevel = .trace
    return handler
}
let metrics = MemoryMetrics()
MetricsSystem.bootstrap(metrics)
do {
    let plan = try JSONDecoder().decode(Plan.self, from: try Data(contentsOf: URL(fileURLWithPath: try argument("plan"))))
    let worker = try Worker(
        name: try argument("name", "w0"),
        plan: plan,
        url: try argument("redis"),
        history: try argument("history"),
        metrics: metrics
    )
    try await worker.run()
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(2)
}
