public import ArgumentParser
public import Headgate
import HeadgateBench
import HeadgateJSON
import HeadgatePolicy
import HeadgateRedis
import HeadgateServer

/// `headgate bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure decisions against a Redis.",
        discussion: """
            Its keys begin with hgbench and are deleted afterwards, so it can be pointed at a Redis that is in use; it loads that Redis
            as far as the callers, or the rate, go. Redis' CPU and calls are the server's as a whole, also for others that use it
            meanwhile. Measure with a release build: swift build -c release.

            WORKLOADS
              uniform  100,000 subjects at random
              hot      one subject, all allowed
              denied   one subject, all denied
              zipf     100,000 subjects by Zipf's law with the exponent 1.1
              policy   mixed requests of 100,000 accounts of all tiers of a policy such as policies/tensorone.yaml

            EXAMPLES
              headgate bench --workload uniform --callers 256 --seconds 10
              headgate bench --workload zipf --algorithm sliding_window_log --rate 5000 --json
              headgate bench --redis redis://10.0.0.7:6379 --workload policy --policy policies/tensorone.yaml
            """
    )

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("What is asked.", valueName: "name"))
    var workload: BenchPlan.Workload

    @Option(help: ArgumentHelp("How the limit counts. (default: token_bucket)", valueName: "name"))
    var algorithm: Algorithm.Name?

    @Option(help: ArgumentHelp("How many ask at once.", valueName: "n"))
    var callers = 64

    @Option(help: ArgumentHelp("How long is measured, in seconds.", valueName: "s"))
    var seconds = 10.0

    @Option(help: ArgumentHelp("Requests that begin each second. (default: each caller asks again when it has an answer)", valueName: "r"))
    var rate: Double?

    @Flag(help: "Leave the keys behind; they go when their time to live ends.")
    var keepKeys = false

    @Flag(help: "Print the figures as JSON.")
    var json = false

    func run() async throws {
        let measurement: Measurement
        do {
            let console = try await store.console()
            let plan = try plan(policy: console.policy)
            measurement = try await Bench(plan, redis: try RedisConfiguration(url: try url(of: console))).run()
        } catch let error as LimiterError {
            throw CommandError(error)
        }
        if measurement.isFailure { throw CommandError(message: measurement.failure, ending: .backend) }
        try CommandResult(text: json ? measurement.json.text : measurement.text, ending: .done).finish()
    }

    private func plan(policy: Policy?) throws -> BenchPlan {
        try BenchPlan(
            workload,
            algorithm: algorithm,
            callers: callers,
            seconds: seconds,
            rate: rate,
            policy: policy.map { ($0, $0.definition.tiers.map(\.name)) },
            keepsKeys: keepKeys
        )
    }

    private func url(of console: Console) throws -> String {
        guard case .redis(let url) = console.store else {
            throw CommandError(message: "a Redis is measured; expected --redis URL", ending: .usage)
        }
        return url
    }
}

extension BenchPlan.Workload: ExpressibleByArgument {}

extension Algorithm.Name: ExpressibleByArgument {}
