import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@Suite("headgate serve over a real Redis", .serialized, .exclusive)
struct ServerTests {
    @Test("A request that the endpoint's limit denies leaves the class's count untouched, and the other way round")
    func allOrNothing() async throws {
        try await withTestRedis { url in
            let server = try await TestServer.start(redis: url, "--deadline", "5s")
            // Free: 20 writes an hour; DELETE /accounts/* only 10.
            let first = freshAccount()
            for attempt in 0..<15 {
                let answer = try await server.authorize("DELETE", "/v2/accounts/7", account: first, tier: "free")
                #expect(answer.status.code == (attempt < 10 ? 200 : 429))
            }
            let write = try await server.authorize("PATCH", "/v2/accounts/7", account: first, tier: "free")
            #expect(write.headers[.limit] == "20")
            #expect(write.headers[.remaining] == "9")
            // And a class that is full: POST /clusters allows 20 like the class, of which another endpoint took one.
            let second = freshAccount()
            _ = try await server.authorize("PATCH", "/v2/other", account: second, tier: "free")
            for attempt in 0..<25 {
                let answer = try await server.authorize("POST", "/v2/clusters", account: second, tier: "free")
                #expect(answer.status.code == (attempt < 19 ? 200 : 429))
            }
            // An upgrade lifts both limits: five times 20 for the endpoint, of which it has seen 20, and no denied one.
            let upgraded = try await server.authorize("POST", "/v2/clusters", account: second, tier: "pro")
            #expect(upgraded.headers[.limit] == "100")
            #expect(upgraded.headers[.remaining] == "80")
            let log = try await redisCLI(url, "GET", "hg:{a:\(second)}:POST/clusters:log1")
            #expect(log.hasPrefix("20 "))
        }
    }

    @Test("redis-cli shows the counts in plain text")
    func plainText() async throws {
        try await withTestRedis { url in
            let server = try await TestServer.start(policy: TestServer.policy("supervised-ai"), redis: url, "--deadline", "5s")
            let account = freshAccount()
            let decision = """
                {"subject":{"account":"\(account)","tier":"developer"},"method":"GET","path":"/anything"}
                """
            for _ in 0..<3 { #expect(try await server.post("/v1/decisions", decision).status == 200) }
            let keys = try await redisCLI(url, "KEYS", "hg:{a:\(account)}:*").split(separator: "\n").sorted()
            #expect(keys.count == 2)
            for key in keys {
                let timeToLive = Int64(try await redisCLI(url, "PTTL", String(key))) ?? -1
                #expect(timeToLive > 0)
            }
            let log = try #require(keys.first { $0.hasSuffix(":log1") })
            #expect(try await redisCLI(url, "GET", String(log)).hasPrefix("3 "))
            let leases = try #require(keys.first { $0.hasSuffix(":con1") })
            #expect(try await redisCLI(url, "ZCARD", String(leases)) == "3")
        }
    }

    @Test("A lease that one instance gave is renewed and released by another, once")
    func leases() async throws {
        try await withTestRedis { url in
            let policy = TestServer.policy("supervised-ai")
            let first = try await TestServer.start(policy: policy, redis: url, "--deadline", "5s")
            let second = try await TestServer.start(policy: policy, redis: url, "--deadline", "5s")
            let account = freshAccount()
            let decision = """
                {"subject":{"account":"\(account)","tier":"free"},"method":"GET","path":"/anything"}
                """
            var leases: [String] = []
            for server in [first, second] {
                let answer = try await server.post("/v1/decisions", decision)
                leases.append(try #require(answer.json["lease"] as? String))
            }
            let refused = try await first.post("/v1/decisions", decision)
            #expect(refused.json["allowed"] as? Bool == false)
            #expect(refused.json["binding"] as? String == "concurrency")
            let lease = leases[0]
            let statuses = try await second.connect { client in
                [
                    try await client.post("/v1/leases/\(lease)/renew", body: ByteBuffer()).status.code,
                    try await client.delete("/v1/leases/\(lease)", body: ByteBuffer()).status.code,
                    try await client.delete("/v1/leases/\(lease)", body: ByteBuffer()).status.code,
                    try await client.post("/v1/leases/\(lease)/renew", body: ByteBuffer()).status.code,
                ]
            }
            #expect(statuses[0] / 100 == 2 && statuses[1] / 100 == 2)
            #expect(statuses[2] == 404 && statuses[3] == 404)
            #expect(try await first.post("/v1/decisions", decision).json["allowed"] as? Bool == true)
        }
    }

    @Test("Redis away at the start keeps the process up, not ready, and it heals by itself")
    func redisAwayAtStart() async throws {
        let server = try await TestServer.start(redis: "unix:///tmp/headgate-no-such-socket-\(freshAccount())")
        let statuses = try await server.connect { client in
            [
                try await client.get("/livez").status.code, try await client.get("/readyz").status.code,
                try await client.authorize("GET", "/v2/x", account: "acme", tier: "free").status.code,
            ]
        }
        // The policy says `open`.
        #expect(statuses == [200, 503, 200])
        let answer = try await server.authorize("GET", "/v2/x", account: "acme", tier: "free")
        #expect(answer.headers[.degraded] != nil)
        #expect(answer.headers[.limit] == nil)
    }

    @Test("SIGTERM: what is under way is answered, and the process ends with 0")
    func drain() async throws {
        try await withTestRedis { url in
            let server = try await TestServer.start(redis: url, "--deadline", "5s")
            let account = freshAccount()
            try await server.connect { client in
                for request in 0..<50 {
                    if request == 20 { server.executable.signal(SIGTERM) }
                    do {
                        let answer = try await client.authorize("GET", "/v2/x", account: account, tier: "enterprise")
                        #expect(answer.status.code == 200)
                    } catch {
                        // A connection may be closed once the server drains, between requests and never within one.
                        #expect(request > 20)
                        return
                    }
                }
            }
            #expect(try await server.executable.end(within: .seconds(12)) == 0)
        }
    }

    @Test("kill -9 of the server leaves no redis-server behind")
    func killed() async throws {
        let server = try await TestServer.start(redis: "embedded")
        #expect(try await server.authorize("GET", "/v2/x", account: "acme", tier: "free").headers[.degraded] == nil)
        let children = try await Self.descendants(of: server.executable.processIdentifier)
        #expect(!children.isEmpty)
        server.executable.signal(SIGKILL)
        let end = ContinuousClock.now + .seconds(5)
        var alive = children
        while !alive.isEmpty, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
            alive = alive.filter { kill($0, 0) == 0 && Self.isRunning($0) }
        }
        #expect(alive.isEmpty)
    }

    /// The processes that a process has started, and theirs.
    static func descendants(of parent: Int32) async throws -> [Int32] {
        let listing = try await run("/usr/bin/env", "ps", "-eo", "pid=,ppid=").output
        let pairs = listing.split(separator: "\n").map { $0.split(separator: " ").compactMap { Int32($0) } }.filter { $0.count == 2 }
        var found: [Int32] = []
        var wanted = [parent]
        while let next = wanted.popLast() {
            let children = pairs.filter { $0[1] == next }.map { $0[0] }
            found += children
            wanted += children
        }
        return found
    }

    /// Whether a process runs, and is not only a status that nobody has asked for.
    static func isRunning(_ process: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return !status.contains(") Z ")
    }
}
