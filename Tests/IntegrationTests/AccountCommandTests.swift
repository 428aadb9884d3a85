import EmbeddedRedis
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@Suite("The account commands", .serialized, .exclusive)
struct AccountCommandTests {
    @Test("--json prints one JSON object, whatever the command does")
    func json() async throws {
        try await AccountTests.withInstances { instances in
            let account = freshAccount()
            let created = try await instances.json("accounts", "create", account, "--tier", "pro", "--override", "write=x2")
            #expect(created["account"] as? String == account && created["tier"] as? String == "pro")
            #expect((created["overrides"] as? [String: any Sendable])?["write"] != nil)
            let key = try await instances.key(account, "--permission", "boost", "--name", "job")
            let keys = try #require(try await instances.json("keys", "list", "--account", account)["keys"] as? [[String: any Sendable]])
            #expect(keys.count == 1 && keys[0]["key"] as? String == key.id && keys[0]["name"] as? String == "job")
            #expect(keys[0]["permissions"] as? [String] == ["boost"] && keys[0]["secret"] == nil)
            #expect(try await instances.json("accounts", "show", account)["account"] as? String == account)
            let listed = try await instances.json("accounts", "list")["accounts"] as? [[String: any Sendable]]
            #expect(listed?.contains { $0["account"] as? String == account } == true)
            let asked = try await instances.both[0].connect { client in
                let body = ByteBuffer(string: #"{"expected_volume":"a","use_case":"b","timeline":"c"}"#)
                return try await client.post("/auth/limit-increase", headers: [.authorization: "Bearer \(key.text)"], body: body)
            }
            let id = try #require(try parse(asked.body)["id"] as? String)
            let open = try await instances.json("increases", "list", "--status", "open")["limit_increases"] as? [[String: any Sendable]]
            #expect(open?.contains { $0["id"] as? String == id } == true)
            try await instances.json("increases", "grant", id, "--override", "read=5000/hour", "--answer", "good luck")
            try await instances.expectWithinASecond("200 5000", key.text)
            let revoked = try await instances.json("keys", "revoke", key.id)
            #expect(revoked["revoked_at"] as? String != nil)
            let audit = try await instances.json("accounts", "audit", account)["audit"] as? [[String: any Sendable]]
            #expect(audit?.contains { $0["what"] as? String == "limit increase granted" } == true)
            #expect(
                audit?.allSatisfy { ($0["who"] as? String)?.hasPrefix("cli ") == true || ($0["who"] as? String)?.hasPrefix("key ") == true }
                    == true
            )
        }
    }

    @Test("0 is done, 2 a wrong command or value with its reason, 3 no Redis")
    func exitCodes() async throws {
        try await AccountTests.withInstances { instances in
            let account = freshAccount()
            #expect(try await instances.headgate("accounts", "create", account, "--tier", "pro").status == 0)
            let wrong: [([String], String)] = [
                (["accounts", "create", account], "already"), (["accounts", "create", freshAccount(), "--tier", "gold"], "gold"),
                (["accounts", "create"], "account"), (["accounts", "show", freshAccount()], "no account"),
                // Checked by the policy that the server serves.
                (["accounts", "set-tier", account, "por"], "pro"), (["keys", "create", "--account", freshAccount()], "no account"),
                (["keys", "create"], "--account"), (["keys", "create", "--account", account, "--permission", "a b"], "permission"),
                (["keys", "revoke", "nokey"], "no key"), (["override", "set", account, "raed", "5/hour"], "read"),
                (["override", "set", account, "read", "often"], "often"),
                (["override", "set", account, "read", "5/hour", "--until", "soon"], "soon"),
                (["override", "clear", account, "read"], "read"),
                (["boost", "grant", account, "--multiplier", "1", "--duration", "1h", "--reason", "r"], "multiplier"),
                (["boost", "grant", account, "--multiplier", "2", "--duration", "1h"], "--reason"),
                (["boost", "grant", account, "--multiplier", "2", "--duration", "1h", "--reason", " "], "reason"),
                (["boost", "end", account, "bnone"], "bnone"), (["increases", "refuse", "inone"], "inone"),
            ]
            for (arguments, word) in wrong {
                let executable = try Executable("headgate", arguments + ["--redis", instances.redis])
                #expect(try await executable.end() == 2, "\(arguments)")
                let output = executable.printed.joined(separator: "\n")
                #expect(output.hasPrefix("headgate: ") && output.contains(word), "\(arguments): \(output)")
            }
        }
        for arguments in [["accounts", "list"], ["keys", "revoke", "k"], ["accounts", "create", "a"]] {
            let executable = try Executable("headgate", arguments + ["--redis", "unix:///tmp/no-such-headgate-socket"])
            #expect(try await executable.end() == 3)
        }
        #expect(try await run("headgate", "accounts", "list", "--redis", "memory").status == 2)
    }

    @Test("Operators need a token where others reach the listener; with one readers look and writers change")
    func operatorsToken() async throws {
        let refused = try Executable(
            "headgate",
            ["serve", "--policy", TestServer.policy("tensorone"), "--listen", "127.0.0.1:0", "--admin-listen", "0.0.0.0:0"]
        )
        #expect(try await refused.end() == 2)
        #expect(refused.printed.joined().contains("admin_listen"))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(freshAccount()).token")
        try Data("write-token-0123456789\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await withTestRedis { redis in
            let executable = try Executable(
                "headgate",
                [
                    "serve", "--policy", TestServer.policy("tensorone"), "--listen", "127.0.0.1:0", "--redis", redis, "--deadline", "5s",
                    "--admin-listen", "127.0.0.1:0", "--admin-token-file", file.path, "--log-level", "trace",
                ],
                environment: ["HEADGATE_ADMIN_READ_TOKEN": "read-token-0123456789"]
            )
            let operators = try await TestServer(executable: executable, port: 0).operators()
            func status(_ method: HTTPRequest.Method, _ token: String?) async throws -> Int {
                let headers: HTTPFields = token.map { [.authorization: "Bearer \($0)"] } ?? [:]
                return try await operators.connect {
                    try await $0.send(method, "/v1/accounts", headers, ByteBuffer(string: "{}")).status.code
                }
            }
            #expect(try await [status(.get, nil), status(.get, "wrong-token-0123456789"), status(.post, nil)] == [401, 401, 401])
            #expect(try await [status(.get, "read-token-0123456789"), status(.post, "read-token-0123456789")] == [200, 403])
            #expect(try await [status(.get, "write-token-0123456789"), status(.post, "write-token-0123456789")] == [200, 400])
            let log = executable.printed.joined(separator: "\n")
            #expect(!log.contains("-token-0123456789") && log.contains("without a valid token"))
        }
    }

    @Test("Accounts may live in another Redis: counts that are lost lock nobody out")
    func accountsRedis() async throws {
        let (counts, accounts) = (try await RedisServer.start(), try await RedisServer.start())
        let server = try await TestServer.start(redis: counts.url, "--deadline", "5s", "--accounts-redis", accounts.url)
        #expect(try await run("headgate", "accounts", "create", "acme", "--tier", "pro", "--redis", accounts.url).status == 0)
        let made = try await run("headgate", "keys", "create", "--account", "acme", "--redis", accounts.url, "--json")
        let key = try #require(try parse(ByteBuffer(string: made.output))["secret"] as? String)
        func ask() async throws -> String {
            let fields: HTTPFields = [.apiKey: key, .forwardedMethod: "GET", .forwardedURI: "/v2/x"]
            let response = try await server.connect { try await $0.get("/v1/authorize", headers: fields) }
            return "\(response.status.code) \(response.headers[.remaining] ?? "-")"
        }
        #expect(try await [ask(), ask()] == ["200 999", "200 998"])
        #expect(try await redisCLI(counts.url, "KEYS", "hg:*account").isEmpty)
        #expect(try await redisCLI(accounts.url, "KEYS", "hg:*log1").isEmpty)
        _ = try await redisCLI(counts.url, "FLUSHALL")
        #expect(try await ask() == "200 999")
        await counts.stop()
        await accounts.stop()
    }
}
