import Headgate
import Testing

@testable import HeadgateRedis

@Suite("Redis URLs and configurations")
struct ConfigurationTests {
    @Test(
        "URLs say where and what",
        arguments: [
            ("redis://localhost", RedisEndpoint.host("localhost", port: 6379), 0),
            ("redis://localhost/", .host("localhost", port: 6379), 0),
            ("redis://10.0.0.1:7000/3", .host("10.0.0.1", port: 7000), 3),
            ("redis://[::1]:7000", .host("::1", port: 7000), 0), ("redis://[fe80::1]", .host("fe80::1", port: 6379), 0),
            ("unix:///run/redis.sock", .unixSocket(path: "/run/redis.sock"), 0),
            ("unix:///run/my%20redis.sock?db=15", .unixSocket(path: "/run/my redis.sock"), 15),
        ]
    )
    func places(_ url: String, _ endpoint: RedisEndpoint, _ database: Int) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.endpoint == endpoint)
        #expect(configuration.database == database)
        #expect(configuration.credentials == nil)
        #expect(configuration.deadline == .milliseconds(50))
    }

    @Test(
        "URLs carry users and passwords, percent-decoded",
        arguments: [
            ("redis://:secret@h", nil, "secret"), ("redis://me:secret@h:1/2", "me", "secret"),
            ("redis://m%40e:s%3A%2F%25%3f@h", "m@e", "s:/%?"), ("redis://me:a:b@h", "me", "a:b"), ("redis://me:p@ss@h", "me", "p@ss"),
            ("redis://me:@h", "me", ""),
        ] as [(String, String?, String)]
    )
    func credentials(_ url: String, _ user: String?, _ password: String) throws {
        let configuration = try RedisConfiguration(url: url)
        let pair = try #require(configuration.credentials?.current)
        #expect(pair.user == user)
        #expect(pair.password == password)
        if case .host(let name, _) = configuration.endpoint { #expect(name == "h") }
    }

    @Test(
        "Bad URLs say what was expected, and never repeat a password",
        arguments: [
            "", "localhost", "http://h", "redis://", "redis://:s3cret@", "redis://s3cret@h", "redis://:s3cret@h:x", "redis://:s3cret@h:0",
            "redis://:s3cret@h:65536", "redis://:s3cret@h/x", "redis://:s3cret@h/-1", "redis://:s3cret%@h", "redis://:s3cret%zz@h",
            "redis://:s3cret%ff@h", "redis://:s3cret@[::1", "redis://:s3cret@[::1]x", "redis://:s3cret@h?x=1", "redis://:s3cret@h#x",
            "redis://:s3cret@h/99999999999999999999", "unix://relative", "unix:///p?x=1", "unix:///p?db=x", "unix:///p?db=",
            "redis://h:", "rediss://:s3cret@h", "redis-sentinel://:s3cret@h", "redis-cluster://:s3cret@h", "redis://h o",
        ]
    )
    func badURLs(_ url: String) {
        #expect {
            try RedisConfiguration(url: url)
        } throws: { error in
            guard let error = error as? LimiterError else { return false }
            return error.code == .badRequest && !error.message.contains("s3cret") && !error.message.isEmpty
        }
    }

    @Test("What is not built yet says so", arguments: ["rediss", "redis-sentinel", "redis-cluster"])
    func notYet(_ scheme: String) {
        #expect {
            try RedisConfiguration(url: "\(scheme)://h")
        } throws: { error in
            (error as? LimiterError)?.message.contains("not supported yet") == true
        }
    }

    @Test("Passwords stand in no description, mirror or dump")
    func redaction() throws {
        let configuration = try RedisConfiguration(url: "redis://me:s3cret@h")
        var text = "\(configuration) \(String(reflecting: configuration)) "
        dump(configuration, to: &text)
        dump(configuration.credentials, to: &text)
        #expect(text.contains("redacted"))
        #expect(!text.contains("s3cret"))
    }

    @Test("Configurations that cannot work are refused at once")
    func validation() throws {
        func refused(_ change: (inout RedisConfiguration) -> Void) -> Bool {
            var configuration = RedisConfiguration()
            change(&configuration)
            do { try configuration.validate() } catch { return error.code == .badRequest }
            return false
        }
        try RedisConfiguration().validate()
        #expect(refused { $0.endpoint = .host("", port: 1) })
        #expect(refused { $0.endpoint = .unixSocket(path: "") })
        #expect(refused { $0.database = -1 })
        #expect(refused { $0.connections = 0 })
        #expect(refused { $0.deadline = .zero })
        #expect(refused { $0.connectTimeout = .zero })
        #expect(refused { $0.backoff.cap = .milliseconds(1) })
        #expect(refused { $0.stallTimeout = .zero })
        #expect(refused { $0.bounds.decisions = 0 })
        #expect(refused { $0.clientName = "a b" })
        #expect(refused { $0.clientName = "a\r\nFLUSHALL" })
        for prefix in ["", "a:b", "a{b", "a b", String(repeating: "x", count: 33)] { #expect(refused { $0.keyPrefix = prefix }) }
    }
}
