import Foundation
import TestSupport
import Testing

@Suite("headgate bench", .serialized, .exclusive)
struct BenchCommandTests {
    @Test("bench prints its figures as JSON, and leaves a Redis that is in use as it was")
    func json() async throws {
        try await withTestRedis { url in
            let account = freshAccount()
            _ = try await redisCLI(url, "SET", account, "somebody's", "PX", "60000")
            let arguments = ["--workload", "hot", "--callers", "8", "--seconds", "0.3", "--json", "--redis", url]
            let executable = try Executable("headgate", ["bench"] + arguments)
            #expect(try await executable.end() == 0)
            let output = executable.printed.joined(separator: "\n")
            let figures = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Double])
            let names = [
                "decisions_per_second", "allowed", "denied", "errors", "p50_us", "p99_us", "p999_us", "client_cpu_us", "redis_cpu_us",
                "redis_calls",
            ]
            #expect(Set(figures.keys) == Set(names))
            #expect(figures["denied"] == 0 && figures["errors"] == 0)
            for name in ["decisions_per_second", "allowed", "p50_us", "client_cpu_us", "redis_calls"] {
                #expect(try #require(figures[name]) > 0, "\(name)")
            }
            #expect(try #require(figures["p50_us"]) <= #require(figures["p99_us"]))
            #expect(try await redisCLI(url, "KEYS", "hgbench:{a:*").isEmpty)
            #expect(try await redisCLI(url, "GET", account) == "somebody's")
        }
    }

    @Test("bench ends early and cleans up when it is interrupted")
    func interrupted() async throws {
        try await withTestRedis { url in
            let executable = try Executable("headgate", ["bench", "--workload", "hot", "--seconds", "60", "--redis", url])
            while try await redisCLI(url, "KEYS", "hgbench:{a:*").isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            // What came before is the warm-up.
            try await Task.sleep(for: .seconds(2))
            executable.signal(SIGINT)
            #expect(try await executable.end(within: .seconds(20)) == 0)
            #expect(executable.printed.joined().contains("decisions a second"))
            #expect(try await redisCLI(url, "KEYS", "hgbench:{a:*").isEmpty)
        }
    }

    @Test("bench says what is wrong, and exits 2; without Redis 3")
    func wrong() async throws {
        let wrong: [([String], String)] = [
            ([], "--workload"), (["--workload", "nothing"], "uniform"), (["--workload", "hot", "--callers", "0"], "callers"),
            (["--workload", "hot", "--seconds", "0"], "seconds"), (["--workload", "hot", "--rate", "0"], "rate"),
            (["--workload", "hot", "--algorithm", "magic"], "token_bucket"), (["--workload", "policy"], "--policy"),
            (["--workload", "policy", "--policy", TestServer.policy("tensorone"), "--algorithm", "fixed_window"], "--algorithm"),
            (["--workload", "hot", "--redis", "memory"], "--redis URL"),
            (["--workload", "hot", "--redis", "redis-cluster://h"], "cluster"),
        ]
        for (arguments, word) in wrong {
            let executable = try Executable("headgate", ["bench"] + arguments)
            #expect(try await executable.end() == 2, "\(arguments)")
            let output = executable.printed.joined(separator: "\n")
            #expect(output.hasPrefix("headgate: ") && output.contains(word), "\(arguments): \(output)")
        }
        let away = try Executable("headgate", ["bench", "--workload", "hot", "--redis", "unix:///tmp/no-such-headgate-socket"])
        #expect(try await away.end() == 3)
    }
}
