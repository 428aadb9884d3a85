import EmbeddedRedis
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@Suite("Accounts and keys over two instances", .serialized, .exclusive)
struct AccountTests {
    /// Two instances on one Redis, of which the first has a listener for operators.
    struct Instances: Sendable {
        let redis: String
        let both: [TestServer]
        let operators: TestServer

        /// Runs a command on the Redis of the instances.
        func headgate(_ arguments: String...) async throws -> (status: Int32, output: String) {
            let executable = try Executable("headgate", arguments + ["--redis", redis])
            let status = try await executable.end()
            return (status, executable.printed.joined(separator: "\n"))
        }

        /// Runs a command that succeeds; returns what it prints as JSON.
        @discardableResult
        func json(_ arguments: String...) async throws -> [String: any Sendable] {
            let executable = try Executable("headgate", arguments + ["--redis", redis, "--json"])
            let status = try await executable.end()
            let output = executable.printed.joined(separator: "\n")
            guard status == 0 else { throw Unexpected(what: "exit code \(status): \(output)") }
            return try parse(ByteBuffer(string: output))
        }

        /// Makes a key; returns the text that is sent, and its id.
        func key(_ account: String, _ more: String...) async throws -> (text: String, id: String) {
            let executable = try Executable("headgate", ["keys", "create", "--account", account, "--redis", redis, "--json"] + more)
            _ = try await executable.end()
            let made = try parse(ByteBuffer(string: executable.printed.joined()))
            guard let text = made["secret"] as? String, let id = made["key"] as? String else { throw Unexpected(what: "no key: \(made)") }
            return (text, id)
        }

        /// What an operator's request is answered.
        func operate(
            _ method: HTTPRequest.Method,
            _ uri: String,
            _ body: String? = nil
        ) async throws -> (status: Int, json: [String: any Sendable]) {
            let response = try await operators.connect { try await $0.send(method, uri, [:], body.map { ByteBuffer(string: $0) }) }
            return (response.status.code, try parse(response.body))
        }

        /// The status of a question for a key's own limits and what its class allows, at each instance.
        func limits(_ key: String) async throws -> [String] {
            var answers: [String] = []
            for instance in both {
                let response = try await instance.connect {
                    try await $0.get("/v2/auth/rate-limits", headers: [.authorization: "Bearer \(key)"])
                }
                answers.append("\(response.status.code) \(response.headers[.limit] ?? "-")")
            }
            return answers
        }

        /// Expects both instances to answer so within a second.
        func expectWithinASecond(_ answer: String, _ key: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let start = ContinuousClock.now
            while true {
                let answers = try await limits(key)
                let taken = ContinuousClock.now - start
                if answers == [answer, answer] {
                    #expect(taken < .seconds(1), sourceLocation: sourceLocation)
                    return
                }
                guard taken < .seconds(5) else {
                    Issue.record("\(answers) after \(taken); expected \(answer)", sourceLocation: sourceLocation)
                    return
                }
                try await Task.sleep(for: .milliseconds(150))
            }
        }
    }

    static func withInstances(_ test: (Instances) async throws -> Void) async throws {
        try await withTestRedis { redis in
            let first = try await TestServer.start(
                redis: redis,
                "--deadline",
                "5s",
                "--admin-listen",
                "127.0.0.1:0",
                "--log-level",
                "trace"
            )
            let second = try await TestServer.start(redis: redis, "--deadline", "5s", "--log-level", "trace")
            try await test(Instances(redis: redis, both: [first, second], operators: try await first.operators()))
        }
    }

    @Test("What the command line changes takes effect on both within a second")
    func commands() async throws {
        try await Self.withInstances { instances in
            let account = freshAccount()
            try await instances.json("accounts", "create", account, "--tier", "pro")
            let key = try await instances.key(account, "--permission", "boost")
            try await instances.expectWithinASecond("200 1000", key.text)
            try await instances.json("accounts", "set-tier", account, "enterprise")
            try await instances.expectWithinASecond("200 10000", key.text)
            try await instances.json("override", "set", account, "read", "7/hour", "--reason", "load test", "--until", "7d")
            try await instances.expectWithinASecond("200 7", key.text)
            let boost = try await instances.json("boost", "grant", account, "--multiplier", "3", "--duration", "1h", "--reason", "event")
            try await instances.expectWithinASecond("200 21", key.text)
            try await instances.json("boost", "end", account, try #require(boost["id"] as? String))
            try await instances.expectWithinASecond("200 7", key.text)
            try await instances.json("override", "clear", account, "read")
            try await instances.expectWithinASecond("200 10000", key.text)
            try await instances.json("keys", "revoke", key.id)
            try await instances.expectWithinASecond("401 -", key.text)
        }
    }

    @Test("What the admin API changes takes effect on both within a second, and so does a customer's own boost")
    func api() async throws {
        try await Self.withInstances { instances in
            let account = freshAccount()
            #expect(try await instances.operate(.post, "/v1/accounts", #"{"account":"\#(account)","tier":"pro"}"#).status == 201)
            let made = try await instances.operate(.post, "/v1/accounts/\(account)/keys", #"{"permissions":["boost"]}"#)
            let key = try #require(made.json["secret"] as? String)
            try await instances.expectWithinASecond("200 1000", key)
            #expect(try await instances.operate(.put, "/v1/accounts/\(account)/tier", #"{"tier":"free"}"#).status == 200)
            try await instances.expectWithinASecond("200 100", key)
            let override = #"{"limit":"read","value":"9/hour"}"#
            #expect(try await instances.operate(.put, "/v1/accounts/\(account)/overrides", override).status == 200)
            try await instances.expectWithinASecond("200 9", key)
            let boost = try await instances.both[1].connect { client in
                let body = ByteBuffer(string: #"{"multiplier":2,"duration":"24h","reason":"Data migration"}"#)
                return try await client.post("/v2/auth/temporary-boost", headers: [.authorization: "Bearer \(key)"], body: body)
            }
            #expect(boost.status.code == 201)
            // At once where it was taken.
            #expect(try await instances.limits(key)[1] == "200 18")
            try await instances.expectWithinASecond("200 18", key)
            let audit = try #require(
                try await instances.operate(.get, "/v1/accounts/\(account)/audit").json["audit"] as? [[String: any Sendable]]
            )
            let what = audit.compactMap { $0["what"] as? String }
            #expect(what.prefix(3) == ["boost", "override read", "tier"])
            #expect((audit[0]["who"] as? String)?.hasPrefix("key ") == true && audit[0]["reason"] as? String == "Data migration")
            let id = try #require(made.json["key"] as? String)
            #expect(try await instances.operate(.delete, "/v1/keys/\(id)").status == 200)
            try await instances.expectWithinASecond("401 -", key)
        }
    }

    @Test("Two keys of an account share exactly one count over both instances")
    func sharedCount() async throws {
        try await Self.withInstances { instances in
            let account = freshAccount()
            try await instances.json("accounts", "create", account, "--tier", "free")
            let keys = [try await instances.key(account).text, try await instances.key(account).text]
            // PATCH has its class limit alone: 20 an hour.
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for worker in 0..<4 {
                    let (instance, key) = (instances.both[worker % 2], keys[worker / 2])
                    group.addTask {
                        try await instance.connect { client in
                            var statuses: [Int] = []
                            for _ in 0..<10 {
                                let fields: HTTPFields = [.apiKey: key, .forwardedMethod: "PATCH", .forwardedURI: "/v2/things"]
                                statuses.append(try await client.get("/v1/authorize", headers: fields).status.code)
                            }
                            return statuses
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { $0 += $1 }
            }
            #expect(statuses.count(where: { $0 == 200 }) == 20 && statuses.count(where: { $0 == 429 }) == 20)
            let log = try await redisCLI(instances.redis, "GET", "hg:{a:\(account)}:write:log1")
            #expect(log.hasPrefix("20 "))
        }
    }

    @Test("When a key was last used is written when an instance ends, if it was not before")
    func lastUsed() async throws {
        try await Self.withInstances { instances in
            let account = freshAccount()
            try await instances.json("accounts", "create", account, "--tier", "pro")
            let key = try await instances.key(account)
            try await instances.expectWithinASecond("200 1000", key.text)
            for instance in instances.both { instance.executable.signal(SIGTERM) }
            for instance in instances.both { #expect(try await instance.executable.end(within: .seconds(12)) == 0) }
            let keys = try await instances.json("keys", "list", "--account", account)["keys"] as? [[String: any Sendable]]
            #expect(keys?.first?["last_used_at"] as? String != nil)
        }
    }

    @Test("A key is printed once, and stands in no log and nowhere in Redis")
    func secrecy() async throws {
        try await Self.withInstances { instances in
            let account = freshAccount()
            try await instances.json("accounts", "create", account, "--tier", "pro")
            let made = try await instances.headgate("keys", "create", "--account", account, "--permission", "boost", "--name", "job")
            let key = try #require(made.output.split(separator: "\n").first.map { String($0) })
            #expect(made.status == 0 && key.hasPrefix("hgk_") && made.output.contains("only time"))
            let secret = String(try #require(key.split(separator: "_").last))
            #expect(made.output.split(separator: secret, omittingEmptySubsequences: false).count == 2)
            try await instances.expectWithinASecond("200 1000", key)
            #expect(try await instances.limits(key + "x") == ["401 -", "401 -"])
            let id = String(key.split(separator: "_")[1])
            let others = [
                try await instances.headgate("keys", "list", "--account", account),
                try await instances.headgate("accounts", "show", account),
                try await instances.headgate("accounts", "audit", account), try await instances.headgate("keys", "revoke", id),
            ]
            for output in others.map(\.output) { #expect(!output.contains(secret)) }
            #expect(others[0].output.contains("\(id) of \(account): boost") && others[0].output.contains("job"))
            #expect(others[2].output.contains("key created \(id)"))
            for instance in instances.both {
                let log = instance.executable.printed.joined(separator: "\n")
                #expect(!log.contains(secret) && !log.contains(secret.prefix(20)))
            }
            for key in try await redisCLI(instances.redis, "--scan").split(separator: "\n").map({ String($0) }) {
                let value =
                    switch try await redisCLI(instances.redis, "TYPE", key) {
                    case "hash": try await redisCLI(instances.redis, "HGETALL", key)
                    case "set": try await redisCLI(instances.redis, "SMEMBERS", key)
                    case "stream": try await redisCLI(instances.redis, "XRANGE", key, "-", "+")
                    case "list": try await redisCLI(instances.redis, "LRANGE", key, "0", "-1")
                    case "zset": try await redisCLI(instances.redis, "ZRANGE", key, "0", "-1")
                    default: try await redisCLI(instances.redis, "GET", key)
                    }
                #expect(!key.contains(secret.prefix(20)) && !value.contains(secret.prefix(20)), "\(key)")
            }
        }
    }
}

extension HTTPField.Name {
    // swift-format-ignore: NeverForceUnwrap
    static let apiKey = Self("X-API-Key")!
}
