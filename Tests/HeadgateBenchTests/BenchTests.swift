import Headgate
import HeadgateRedis
import HeadgateTesting
import NIOPosix
import TestSupport
import Testing

@testable import HeadgateBench

@Suite("Measurements", .exclusive)
struct BenchTests {
    @Test(
        "What cannot be measured is refused with what was expected",
        arguments: [
            (0, 1.0, nil, "callers"), (100_001, 1, nil, "callers"), (1, 0, nil, "seconds"), (1, .nan, nil, "seconds"), (1, 1, 0.5, "rate"),
            (1, 1, .infinity, "rate"),
        ] as [(Int, Double, Double?, String)]
    )
    func arguments(callers: Int, seconds: Double, rate: Double?, word: String) {
        let error = #expect(throws: LimiterError.self) {
            try BenchPlan(.uniform, algorithm: nil, callers: callers, seconds: seconds, rate: rate, policy: nil)
        }
        #expect(error?.code == .badRequest && error?.message.contains(word) == true)
    }

    @Test("The workload policy wants a policy, which says itself how it counts; a cluster is not measured")
    func combinations() throws {
        #expect(throws: LimiterError.self) { try BenchPlan(.policy, algorithm: nil, callers: 1, seconds: 1, rate: nil, policy: nil) }
        #expect(throws: LimiterError.self) {
            try BenchPlan(.policy, algorithm: .fixedWindow, callers: 1, seconds: 1, rate: nil, policy: (NoRules(), []))
        }
        let plan = try BenchPlan(.hot, algorithm: nil, callers: 1, seconds: 1, rate: nil, policy: nil)
        #expect(throws: LimiterError.self) { try Bench(plan, redis: try RedisConfiguration(url: "redis-cluster://127.0.0.1")) }
    }

    @Test("INFO is read by name, and what is missing is zero")
    func info() {
        let text = "# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:2.25\r\nused_cpu_sys_children:9\r\ncmdstat_evalsha:calls=17,usec=3\r\n"
        let reading = RedisReading(info: text)
        #expect(reading.cpuSeconds == 3.75)
        #expect(reading.scriptCalls == 17)
        #expect(RedisReading(info: "").scriptCalls == 0)
    }

    @Test("Arrivals keep their number, whoever is busy, and those that waited say since when")
    func arrivals() async {
        let arrivals = Arrivals(perSecond: 1_000, on: MultiThreadedEventLoopGroup.singleton.any())
        let turns = await withTaskGroup(of: (Int, Int).self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var (now, late) = (0, 0)
                    while true {
                        switch await arrivals.next() {
                        case .now: now += 1
                        case .since: late += 1
                        case .over: return (now, late)
                        }
                        if now + late == 40 { arrivals.end() }
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1.0 + $1.1 }
        }
        #expect((40...120).contains(turns))
    }

    @Test("Each workload is decided as its name says, and leaves no keys", arguments: BenchPlan.Workload.allCases)
    func workloads(workload: BenchPlan.Workload) async throws {
        try await withRedisServer { server in
            for algorithm in workload == .policy ? [nil] : Algorithm.Name.allCases.map(Optional.some) {
                var plan = try BenchPlan(
                    workload,
                    algorithm: algorithm,
                    callers: 8,
                    seconds: 0.2,
                    rate: algorithm == .fixedWindow ? 500 : nil,
                    policy: (try TwoLimits(), [])
                )
                plan.subjects = 1_000
                let measurement = try await Bench(plan, redis: try RedisConfiguration(url: server.url)).run()
                #expect(measurement.decisions > 20 && measurement.errors == 0, "\(measurement.text)")
                if workload == .hot { #expect(measurement.denied == 0) }
                if workload == .denied { #expect(measurement.allowed == 0) }
                if let rate = plan.rate { #expect(Double(measurement.decisions) <= rate * 0.25) }
                #expect(measurement.times.total == measurement.decisions)
                #expect(measurement.seconds >= 0.2 && measurement.clientCPUSeconds > 0 && measurement.redisCPUSeconds >= 0)
                #expect(measurement.redisCalls > 0 || workload == .denied)
            }
            let store = try RedisStore(try RedisConfiguration(url: server.url))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await store.run() }
                defer { group.cancelAll() }
                let left = try await store.scan("hgbench:{a:*").names
                #expect(left.isEmpty)
            }
        }
    }

    @Test("A Redis that is away is an error, and no figures")
    func away() async throws {
        let plan = try BenchPlan(.hot, algorithm: nil, callers: 1, seconds: 0.1, rate: nil, policy: nil)
        let bench = try Bench(plan, redis: try RedisConfiguration(url: "unix:///tmp/no-such-headgate-socket"))
        await #expect(throws: LimiterError.self) { try await bench.run() }
    }
}

/// Rules that give every request two limits.
private struct TwoLimits: RuleSet {
    let limits: [Limit]

    init() throws {
        limits = [try Limit("one", .tokenBucket(100, per: .seconds(60))), try Limit("two", .slidingWindowLog(100, per: .seconds(60)))]
    }

    func limits(for request: LimitRequest) throws(LimiterError) -> [AppliedLimit] {
        limits.map { limit in
            AppliedLimit(name: limit.id, role: .additional, id: limit.id, charge: Charge(limit, identity: request.subject.identity))
        }
    }
}
