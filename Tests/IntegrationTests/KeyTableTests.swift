import Foundation
import HTTPTypes
import Headgate
import HeadgateRedis
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@Suite("The README's table of keys", .serialized, .exclusive)
struct KeyTableTests {
    /// The rows `| key | type | value |` of the table, counts and records.
    static func rows() throws -> [(key: String, type: String, isRecord: Bool)] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../README.md")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, cells[0].hasPrefix("`hg:{") else { return nil }
            return (cells[0].trimmingCharacters(in: ["`"]), cells[1], cells[2].hasPrefix("record: "))
        }
    }

    /// What a value looks like, by the end of its key.
    static let forms: [String: String] = [
        "log1": #"^3 \d{16} 1 \d{16} 1 \d{16} 1$"#,
        "tb1": #"^\d{16}( \d+)?$"#,
        "fw1": #"^3 \d{16}$"#,
        "swc1": #"^3 0 \d{16}$"#,
        "con1": #"^([0-9a-f]{32}\n\d{16}\n?){3}$"#,
    ]

    @Test("is what stands in Redis of counts: names, types, values in plain text, and a time to live")
    func counts() async throws {
        let rows = try Self.rows()
        try await withTestRedis { url in
            let account = freshAccount()
            let identity = try Identity(.account, account)
            let limits = [
                try Limit("limit", .slidingWindowLog(10, per: .seconds(3_600))), try Limit("limit2", .tokenBucket(7, per: .seconds(3_600))),
                try Limit("limit3", .fixedWindow(10, per: .seconds(86_400))),
                try Limit("limit4", .slidingWindowCounter(10, per: .seconds(86_400))), try Limit("limit5", .concurrency(5)),
            ]
            var configuration = try RedisConfiguration(url: url)
            configuration.deadline = .seconds(5)
            let store = try RedisStore(configuration)
            let limiter = Limiter(store: store)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await store.run() }
                for _ in 0..<3 {
                    let decision = try await limiter.acquire(for: identity, limits: limits)
                    #expect(decision.isAllowed && !decision.isDegraded)
                }
                group.cancelAll()
            }
            for limit in limits {
                let key = try await redisCLI(url, "KEYS", "hg:{a:\(account)}:\(limit.id):*")
                let format = String(key.split(separator: ":").last ?? "")
                let row = try #require(rows.first { $0.key == "hg:{a:acme}:<limit>:\(format)" }, "\(key)")
                #expect(try await redisCLI(url, "TYPE", key) == row.type)
                let shown =
                    switch row.type {
                    case "list": try await redisCLI(url, "LRANGE", key, "0", "-1")
                    case "zset": try await redisCLI(url, "ZRANGE", key, "0", "-1", "WITHSCORES")
                    default: try await redisCLI(url, "GET", key)
                    }
                let form = try Regex(try #require(Self.forms[format]))
                #expect(shown.firstMatch(of: form) != nil, "\(key): \(shown)")
                #expect(try #require(Int64(try await redisCLI(url, "PTTL", key))) > 0)
            }
        }
    }

    /// A key as the table names it.
    private static func row(of key: String, account: String, keyID: String) -> String {
        var name = key.replacing("{a:\(account)}", with: "{a:acme}").replacing("{k:\(keyID)}", with: "{k:<id>}")
        name = name.replacing(/usage-minute-\d{4}-\d\d-\d\dT\d\d\.\d\d$/, with: "usage-minute-2026-11-24T21.45")
        name = name.replacing(/usage-hour-\d{4}-\d\d-\d\dT\d\d$/, with: "usage-hour-2026-11-24T21")
        name = name.replacing(/usage-day-\d{4}-\d\d-\d\d$/, with: "usage-day-2026-11-24")
        name = name.replacing(/event-80-[^:]*$/, with: "event-80-<limit>").replacing(/event-100-[^:]*$/, with: "event-80-<limit>")
        return name.replacing(/\{a:acme\}:[^:]*:(log1|con1)$/) { "{a:acme}:<limit>:\($0.1)" }
    }

    @Test("is what stands in Redis after a provider's page was used: each key has a row, each row a key; records have no time to live")
    func records() async throws {
        let rows = try Self.rows()
        // The forms of counts are above; the probe's bucket is full again, and gone, before one can look.
        let unseen = Set(["tb1", "fw1", "swc1", "con1"])
        let instances = "hg:{g:headgate}:instances:con1"
        // Written when something was given back, which is not part of this.
        let givenBack = "hg:{g:headgate}:given-back"
        let expected = Set(
            rows.map(\.key).filter { $0 != givenBack }.filter {
                $0 == instances || !unseen.contains(String($0.split(separator: ":").last ?? ""))
            }
        )
        #expect(rows.count == 21 && rows.filter(\.isRecord).count == 9)
        try await AccountTests.withInstances { instances in
            let account = freshAccount()
            try await instances.json("accounts", "create", account, "--tier", "free")
            let key = try await instances.key(account)
            let statuses = try await instances.both[0].connect { client in
                let fields: HTTPFields = [.apiKey: key.text, .forwardedMethod: "POST", .forwardedURI: "/v2/training/jobs"]
                var statuses: [Int] = []
                for _ in 0..<5 { statuses.append(try await client.get("/v1/authorize", headers: fields).status.code) }
                let body = ByteBuffer(string: #"{"expected_volume":"a","use_case":"b","timeline":"c"}"#)
                statuses.append(try await client.post("/auth/limit-increase", headers: [.apiKey: key.text], body: body).status.code)
                statuses.append(try await client.get("/readyz").status.code)
                return statuses
            }
            #expect(statuses == [200, 200, 200, 200, 200, 202, 200])
            var found: [String: String] = [:]
            let end = ContinuousClock.now + .seconds(20)
            while ContinuousClock.now < end, !expected.isSubset(of: found.keys) {
                for pattern in ["hg:{a:\(account)}*", "hg:{k:\(key.id)}*", "hg:{g:headgate}*"] {
                    for name in try await redisCLI(instances.redis, "KEYS", pattern).split(separator: "\n") {
                        found[Self.row(of: String(name), account: account, keyID: key.id)] = String(name)
                    }
                }
                try await Task.sleep(for: .milliseconds(200))
            }
            found["hg:{g:headgate}:canary:tb1"] = nil
            found[givenBack] = nil
            found = found.filter { !$0.key.hasPrefix("hg:{g:headgate}:selftest:") }
            #expect(found.keys.sorted() == expected.sorted())
            for row in rows {
                guard let name = found[row.key] else { continue }
                #expect(try await redisCLI(instances.redis, "TYPE", name) == row.type, "\(name)")
                let life = try #require(Int64(try await redisCLI(instances.redis, "PTTL", name)))
                #expect(row.isRecord ? life == -1 : life > 0, "\(name) \(life)")
            }
            let fields = try await redisCLI(instances.redis, "HKEYS", "hg:{a:\(account)}:account").split(separator: "\n").sorted()
            #expect(fields == ["created", "id", "increase", "revision", "tier"])
            let keyFields = try await redisCLI(instances.redis, "HKEYS", "hg:{k:\(key.id)}:key").split(separator: "\n")
            let known = ["account", "created", "id", "last_used", "name", "permissions", "revision", "sha256"]
            #expect(Set(keyFields.map { String($0) }).subtracting(known).isEmpty)
        }
    }
}
