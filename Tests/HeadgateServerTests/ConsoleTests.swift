import HeadgateJSON
import EmbeddedRedis
import Headgate
import HeadgatePolicy
import HeadgateRedis
import HeadgateTesting
import HeadgateYAML
import Testing

@testable import HeadgateServer

@Suite("The commands")
struct ConsoleTests {
    @Test("check says what is left and who denies, and ends accordingly")
    func check() async throws {
        try await withRedisServer { server in
            let console = Console(policy: try Policy(yaml: policyText), store: .redis(url: server.url))
            let request = try clusterRequest()
            let allowed = try await console.check(request, effect: .take, format: .text)
            #expect(allowed.ending == .done)
            #expect(allowed.text.contains("allowed: POST/clusters is closest to its end"))
            #expect(allowed.text.contains("write: 49 left of 50 per 1h"))
            let peeked = try await console.check(request, effect: .observe, format: .json)
            #expect(peeked.ending == .denied)
            #expect(try JSONParser.parse(Array(peeked.text.utf8))["binding"] == "POST/clusters")
        }
    }

    @Test("check says whether a local share allowed or denied, and exits as without Redis")
    func localShare() async throws {
        let policy = try Policy(yaml: "on_redis_failure: local\n" + policyText)
        let limiter = Limiter(store: AwayStore(instances: 2), rules: policy)
        let request = try clusterRequest()
        let allowed = try await limiter.acquire(all: [request], slots: .observe)
        #expect(allowed.headline == "allowed by a local share: Redis gave no answer (connect)" && allowed.ending == .backend)
        #expect(allowed.limits[0].line.contains("write: 24 left of the share of 25 in 50 per 1h"))
        let denied = try await limiter.acquire(all: [request], slots: .observe)
        #expect(denied.headline == "denied by a local share: Redis gave no answer (connect)" && denied.ending == .backend)
    }

    @Test("explain shows the rules, the keys and the state, and charges nothing")
    func explain() async throws {
        try await withRedisServer { server in
            let console = Console(policy: try Policy(yaml: policyText), store: .redis(url: server.url))
            let request = try clusterRequest()
            let before = try await console.explain(request)
            #expect(before.ending == .done)
            #expect(before.text.contains("hg:{a:a1}:POST/clusters:log1\n    absent: nothing is used"))
            #expect(before.text.contains("allowed: POST/clusters is closest to its end"))
            _ = try await console.check(request, effect: .take, format: .text)
            let after = try await console.explain(request)
            #expect(after.text.contains("sliding window log: 1 unit entered"))
            #expect(after.text.contains("denied: POST/clusters has room in"))
        }
    }

    @Test("inspect reads an account's keys back in words", arguments: [true, false])
    func inspect(withPolicy: Bool) async throws {
        try await withRedisServer { server in
            let policy = try Policy(yaml: policyText)
            let console = Console(policy: policy, store: .redis(url: server.url))
            _ = try await console.check(try clusterRequest(), effect: .take, format: .text)
            let looking = Console(policy: withPolicy ? policy : nil, store: .redis(url: server.url))
            let subject = try Subject.options(account: "a1", tier: "pro", permissions: [], overrides: [])
            let result = try await looking.inspect(subject, format: .text)
            #expect(result.ending == .done)
            #expect(result.text.contains("hg:{a:a1}:write:log1\n    sliding window log: 1 unit entered"))
            #expect(result.text.contains("the key goes in"))
            #expect(result.text.contains("write: 49 left of 50") == withPolicy)
            #expect(result.text.contains("read: 100 left of 100") == withPolicy)
            let json = try JSONParser.parse(Array(try await looking.inspect(subject, format: .json).text.utf8))
            #expect(json["subject"] == "a:a1")
            #expect(json["keys"][1]["used"] == .integer(1))
            let nobody = try Subject.options(account: "nobody", tier: "pro", permissions: [], overrides: [])
            #expect(try await looking.inspect(nobody, format: .text).text.contains("no keys"))
        }
    }

    @Test("Every algorithm's state is put into words, and foreign values are told from ours")
    func states() async throws {
        let algorithms: [(Algorithm, String)] = [
            (try .slidingWindowLog(10, per: .seconds(60)), "sliding window log: 2 units"),
            (try .tokenBucket(10, per: .seconds(60)), "token bucket: full again in 12s"),
            (try .fixedWindow(10, per: .seconds(60)), "fixed window: 2 units in the window that began"),
            (try .slidingWindowCounter(10, per: .seconds(60)), "sliding window counter: 2 units in the window that began"),
            (try .concurrency(10), "concurrency: 1 held; without renewal the first ends in"),
        ]
        try await withRedisServer { server in
            let console = Console(policy: nil, store: .redis(url: server.url))
            let subject = try Subject.account("a1")
            try await console.withBackend { backend in
                let limits = try algorithms.map { try Limit($0.0.name.rawValue, $0.0) }
                _ = try await Limiter(store: backend.store).acquire(2, for: subject.identity, limits: limits)
                _ = try await backend.redis?.command(["SET", "hg:{a:a1}:alien:log1", "x"])
            }
            let text = try await console.inspect(subject, format: .text).text
            for (_, words) in algorithms { #expect(text.contains(words), "\(text)") }
            #expect(text.contains("a string that Headgate did not write"))
        }
    }

    @Test("A Redis that is away ends a command as backend trouble")
    func away() async throws {
        let console = Console(policy: try Policy(yaml: policyText), store: .redis(url: "redis://127.0.0.1:1"))
        #expect(try await console.check(try clusterRequest(), effect: .take, format: .text).ending == .backend)
        let error = await #expect(throws: CommandError.self) { try await console.inspect(try .account("a1"), format: .text) }
        #expect(error?.ending == .backend)
    }

    @Test("What the user got wrong ends a command as usage")
    func usage() async throws {
        let console = Console(policy: try Policy(yaml: policyText), store: .memory)
        let gold = LimitRequest(subject: try .account("a1", tier: "gold"), endpoint: Endpoint(method: "GET", path: "/"))
        for error in [
            await #expect(throws: CommandError.self) { try await console.check(gold, effect: .take, format: .text) },
            await #expect(throws: CommandError.self) { try await console.explain(gold) },
            await #expect(throws: CommandError.self) { try await console.inspect(gold.subject, format: .text) },
            await #expect(throws: CommandError.self) { try await Console(policy: nil, store: .memory).explain(gold) },
            #expect(throws: CommandError.self) { try Subject.options(account: "", tier: nil, permissions: [], overrides: []) },
            #expect(throws: CommandError.self) { try Subject.options(account: "a", tier: nil, permissions: [], overrides: ["read"]) },
            #expect(throws: CommandError.self) { try Console.validate("/nonexistent.yaml") },
        ] {
            #expect(error?.ending == .usage)
        }
    }

    @Test(
        "Times are said in two units",
        arguments: [
            (Duration.zero, "0ms"), (.microseconds(1), "1ms"), (.milliseconds(999), "999ms"), (.seconds(1), "1s"),
            (.milliseconds(1_001), "2s"),
            (.seconds(725), "12m 5s"), (.seconds(3_600), "1h"), (.seconds(90_061), "1d 1h"),
        ]
    )
    func words(duration: Duration, words: String) {
        #expect(duration.words == words)
    }

    private func clusterRequest() throws -> LimitRequest {
        LimitRequest(subject: try .account("a1", tier: "pro"), endpoint: Endpoint(method: "POST", path: "/v2/clusters"))
    }
}
