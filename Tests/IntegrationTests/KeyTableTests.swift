import Foundation
import Headgate
import HeadgateRedis
import TestSupport
import Testing

@Suite("The README's table of keys", .serialized, .exclusive)
struct KeyTableTests {
    /// The rows `| key | type | value |` of the table.
    static func rows() throws -> [(key: String, type: String)] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../README.md")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, cells[0].hasPrefix("`hg:{") else { return nil }
            return (cells[0].trimmingCharacters(in: ["`"]), cells[1])
        }
    }

    /// What a value looks like, by the end of its key.
    static let forms: [String: String] = [
        "log1": #"^3 \d{16} 1\n\d{16}\n1\n\d{16}\n1$"#,
        "tb1": #"^\d{16}( \d+)?$"#,
        "fw1": #"^3 \d{16}$"#,
        "swc1": #"^3 0 \d{16}$"#,
        "con1": #"^([0-9a-f]{32}\n\d{16}\n?){3}$"#,
    ]

    @Test("is what stands in Redis: names, types, values in plain text, and a time to live")
    func table() async throws {
        let rows = try Self.rows()
        #expect(rows.count == 6)
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
}
