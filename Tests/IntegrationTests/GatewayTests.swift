import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@Suite("The gateway, with real processes on both sides", .serialized, .exclusive)
struct GatewayTests {
    private static let policy = """
        name: gateway
        responses: { headers: [x-ratelimit], error_body: nested }
        classes: { all: ["* /**"] }
        tiers:
          many: { limits: { all: 100000/hour }, concurrency: 250 }
          one: { limits: { all: 1000/hour }, concurrency: { limit: 1, lease: 1s } }
          few: { limits: { all: 1000/hour }, concurrency: { limit: 3, lease: 3s } }
        endpoints:
          - { match: GET /a/b, limit: 10/hour }
          - { match: POST /sized, cost: { header: X-Size, default: 2, max: 50 } }
        limits:
          from-one-address: { match: GET /address, limit: 3/hour, per: address }
        refund_on: [304, 5xx]
        """

    /// Runs a test with an upstream and some gateways on one Redis.
    private func withGateways(
        _ count: Int = 1,
        _ more: String...,
        body: (_ redis: String, _ gateways: [GatewayProcess], _ upstream: UpstreamProcess) async throws -> Void
    ) async throws {
        try await withTestRedis { redis in
            let policy = try TemporaryPolicy(GatewayTests.policy)
            let upstream = try await UpstreamProcess.start()
            var gateways: [GatewayProcess] = []
            for _ in 0..<count {
                let executable = more
                gateways.append(
                    executable.isEmpty
                        ? try await .start(policy, redis: redis, upstream: upstream.url)
                        : try await .start(policy, redis: redis, upstream: upstream.url, executable[0], executable[1])
                )
            }
            try await body(redis, gateways, upstream)
        }
    }

    private func held(_ redis: String, _ account: String) async throws -> Int {
        Int(try await redisCLI(redis, "ZCARD", "hg:{a:\(account)}:concurrency:con1")) ?? 0
    }

    @Test("Of 200 streaming responses half are cut by their clients: all leases are back within a second")
    func cutStreams() async throws {
        try await withGateways { redis, gateways, _ in
            let account = freshAccount()
            let key = try await makeKey(redis, account: account, tier: "many")
            let gateway = gateways[0]
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: streamingConfiguration)
            let (opened, open) = AsyncStream.makeStream(of: Void.self)
            let cut = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        var request = HTTPClientRequest(url: "\(gateway.url)/stream?seconds=\(index < 100 ? 60 : 8)")
                        request.headers.add(name: "Authorization", value: "Bearer \(key)")
                        let response = try await client.execute(request, timeout: .seconds(60))
                        #expect(response.status == .ok)
                        var parts = response.body.makeAsyncIterator()
                        _ = try await parts.next()
                        open.yield()
                        // The first half hangs up here, in the middle of the stream; the others read to its end.
                        guard index >= 100 else { return true }
                        while try await parts.next() != nil {}
                        return false
                    }
                }
                var waiting = opened.makeAsyncIterator()
                for _ in 0..<200 { await waiting.next() }
                return try await group.reduce(into: 0) { if $1 { $0 += 1 } }
            }
            #expect(cut == 100)
            let end = ContinuousClock.now + .seconds(1)
            while try await held(redis, account) > 0, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
            #expect(try await held(redis, account) == 0)
            try await client.shutdown()
        }
    }

    private var streamingConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 400
        return configuration
    }

    @Test("A client that hangs up before the answer frees its slot")
    func hangUp() async throws {
        try await withGateways { redis, gateways, _ in
            let account = freshAccount()
            let key = try await makeKey(redis, account: account, tier: "few")
            let curls = try (0..<3).map { _ in
                try Executable("/usr/bin/env", ["curl", "-s", "-H", "Authorization: Bearer \(key)", "\(gateways[0].url)/slow?seconds=20"])
            }
            try await until("three slots are held", within: .seconds(5)) { try await self.held(redis, account) == 3 }
            #expect(try await gateways[0].send("GET", "/x", key: key).status == 429)
            for curl in curls { curl.signal(SIGKILL) }
            try await until("the slots are back", within: .seconds(1)) { try await self.held(redis, account) == 0 }
            #expect(try await gateways[0].send("GET", "/x", key: key).status == 200)
        }
    }

    @Test("A request that outlasts its lease keeps the slot; a killed instance's slots come back after the time to live")
    func leases() async throws {
        try await withGateways(2) { redis, gateways, _ in
            let one = freshAccount()
            let key = try await makeKey(redis, account: one, tier: "one")
            async let long = gateways[0].send("GET", "/slow?seconds=4", key: key)
            try await until("the slot is held", within: .seconds(3)) { try await self.held(redis, one) == 1 }
            for _ in 0..<5 {
                #expect(try await gateways[1].send("GET", "/x", key: key).status == 429)
                try await Task.sleep(for: .milliseconds(600))
            }
            #expect(try await long.status == 200)
            #expect(try await gateways[1].send("GET", "/x", key: key).status == 200)

            let few = freshAccount()
            let other = try await makeKey(redis, account: few, tier: "few")
            let curls = try (0..<3).map { _ in
                try Executable(
                    "/usr/bin/env",
                    ["curl", "-s", "-H", "Authorization: Bearer \(other)", "\(gateways[0].url)/slow?seconds=30"]
                )
            }
            try await until("three slots are held", within: .seconds(5)) { try await self.held(redis, few) == 3 }
            gateways[0].executable.signal(SIGKILL)
            let killed = ContinuousClock.now
            #expect(try await gateways[1].send("GET", "/x", key: other).status == 429)
            try await until("the slots are back", within: .seconds(4)) { try await gateways[1].send("GET", "/x", key: other).status == 200 }
            // Each was renewed every second, so the first came back no sooner than two seconds after.
            #expect(killed.duration(to: .now) > .milliseconds(1_500))
            for curl in curls { curl.signal(SIGKILL) }
        }
    }

    @Test("An upstream that is away is 502, one that is slow 504, in the policy's style and without charge; /readyz says so")
    func upstreamTrouble() async throws {
        try await withGateways(1, "--upstream-timeout", "300ms") { redis, gateways, upstream in
            let account = freshAccount()
            let key = try await makeKey(redis, account: account, tier: "many")
            #expect(try await gateways[0].send("GET", "/readyz", key: key).status == 200)
            let slow = try await gateways[0].send("GET", "/slow?seconds=3", key: key)
            #expect(slow.status == 504 && slow.body.contains(#""code":"upstream_timeout""#) && slow.remaining == 99_999)
            upstream.executable.signal(SIGKILL)
            try await until("the upstream is gone", within: .seconds(3)) { try await gateways[0].send("GET", "/x", key: key).status == 502 }
            let away = try await gateways[0].send("GET", "/x", key: key)
            #expect(away.body.contains(#""error":"BAD_GATEWAY""#) && !away.body.contains("127.0.0.1"))
            // 5xx gives the units back.
            #expect(away.remaining == 99_999)
            #expect(try await gateways[0].send("GET", "/readyz", key: key).body.contains("upstream_unreachable"))
        }
    }

    @Test("Every spelling of a path is one route, or 400")
    func spellings() async throws {
        try await withGateways { redis, gateways, _ in
            let key = try await makeKey(redis, account: freshAccount(), tier: "many")
            var statuses: [Int] = []
            for path in ["/a/b", "//a/b", "/a//b", "/a/./b", "/a/x/../b", "/a/b/", "/a/%62", "/a/b;x=1", "/a/b?x", "/a/b"] {
                statuses.append(try await rawStatus(gateways[0], "GET \(path) HTTP/1.1", key: key))
            }
            #expect(statuses == Array(repeating: 200, count: 10))
            #expect(try await rawStatus(gateways[0], "HEAD /a/b HTTP/1.1", key: key) == 429)
            for path in ["/a%2Fb", "/a%2fb", "/a\\b", "/a/b%00", "/a/%zz", "/a/\u{e9}"] {
                #expect(try await rawStatus(gateways[0], "GET \(path) HTTP/1.1", key: key) == 400, "\(path)")
            }
        }
    }

    /// Sends a head as it is and returns the answer's status.
    private func rawStatus(_ gateway: GatewayProcess, _ line: String, key: String) async throws -> Int {
        let port = gateway.url.split(separator: ":").last ?? ""
        let request = "\(line)\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer \(key)\r\n\r\n"
        let answer = try await run("/usr/bin/env", "python3", "-c", GatewayTests.rawScript, String(port), request).output
        return Int(answer.split(separator: " ").dropFirst().first ?? "") ?? 0
    }

    private static let rawScript = """
        import socket, sys
        connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
        connection.sendall(sys.argv[2].encode("latin-1"))
        print(connection.recv(4096).decode("latin-1").split("\\r\\n")[0])
        """

    @Test("A limit per address counts the connection's address, whatever a client claims, and a believed proxy's client")
    func addresses() async throws {
        try await withGateways { redis, gateways, _ in
            let keys = [
                try await makeKey(redis, account: freshAccount(), tier: "many"),
                try await makeKey(redis, account: freshAccount(), tier: "many"),
            ]
            var statuses: [Int] = []
            for index in 0..<5 {
                let forged = [
                    ("X-Forwarded-For", "203.0.113.\(index)"), ("Forwarded", "for=203.0.113.\(index)"), ("X-Real-IP", "203.0.113.9"),
                ]
                statuses.append(try await gateways[0].send("GET", "/address", key: keys[index % 2], forged).status)
            }
            #expect(statuses == [200, 200, 200, 429, 429])
        }
        try await withGateways(1, "--trusted-proxies", "127.0.0.1") { redis, gateways, _ in
            let key = try await makeKey(redis, account: freshAccount(), tier: "many")
            for client in ["203.0.113.1", "203.0.113.2", "2001:db8::1, 2001:db8:0:1::7"] {
                var statuses: [Int] = []
                for _ in 0..<4 {
                    statuses.append(try await gateways[0].send("GET", "/address", key: key, [("X-Forwarded-For", client)]).status)
                }
                #expect(statuses == [200, 200, 200, 429], "\(client)")
            }
            #expect(try await gateways[0].send("GET", "/address", key: key, [("X-Forwarded-For", "2001:DB8:0:1::ffff")]).status == 429)
        }
    }

    @Test("A request costs what its header says, cheaper only from a believed proxy; 304 and 5xx give the units back")
    func costs() async throws {
        try await withGateways { redis, gateways, _ in
            let key = try await makeKey(redis, account: freshAccount(), tier: "one")
            #expect(try await gateways[0].send("POST", "/sized", key: key).remaining == 998)
            #expect(try await gateways[0].send("POST", "/sized", key: key, [("X-Size", "1")]).remaining == 996)
            #expect(try await gateways[0].send("POST", "/sized", key: key, [("X-Size", "40")]).remaining == 956)
            #expect(try await gateways[0].send("POST", "/sized", key: key, [("X-Size", "51")]).status == 400)
            #expect(try await gateways[0].send("GET", "/report", key: key, [("If-None-Match", "\"v1\"")]).status == 304)
            #expect(try await gateways[0].send("GET", "/status/503", key: key).status == 503)
            #expect(try await gateways[0].send("GET", "/x", key: key).remaining == 955)
        }
        try await withGateways(1, "--trusted-proxies", "127.0.0.1") { redis, gateways, _ in
            let key = try await makeKey(redis, account: freshAccount(), tier: "one")
            #expect(try await gateways[0].send("POST", "/sized", key: key, [("X-Size", "1")]).remaining == 999)
        }
    }
}

/// Waits for something to become true.
func until(_ what: String, within time: Duration, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + time
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    guard try await condition() else { throw Unexpected(what: "\(what): not within \(time)") }
}
