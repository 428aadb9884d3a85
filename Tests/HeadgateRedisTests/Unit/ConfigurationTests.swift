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
        #expect(configuration.standalone == endpoint)
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
        if case .host(let name, _)? = configuration.standalone { #expect(name == "h") }
    }

    @Test(
        "Bad URLs say what was expected, and never repeat a password",
        arguments: [
            "", "localhost", "http://h", "redis://", "redis://:s3cret@", "redis://s3cret@h", "redis://:s3cret@h:x", "redis://:s3cret@h:0",
            "redis://:s3cret@h:65536", "redis://:s3cret@h/x", "redis://:s3cret@h/-1", "redis://:s3cret%@h", "redis://:s3cret%zz@h",
            "redis://:s3cret%ff@h", "redis://:s3cret@[::1", "redis://:s3cret@[::1]x", "redis://:s3cret@h?x=1", "redis://:s3cret@h#x",
            "redis://:s3cret@h/99999999999999999999", "unix://relative", "unix:///p?x=1", "unix:///p?db=x", "unix:///p?db=",
            "redis://h:", "redis-sentinel://:s3cret@h", "redis-sentinel://:s3cret@h/m/x", "redis-cluster://:s3cret@h/1", "redis://h o",
            "redis://:s3cret@h?ca_file=/x", "redis://:s3cret@h?s3cret=1", "redis://:s3cret@a,b", "rediss://:s3cret@h?cert_file=/c",
            "rediss://:s3cret@h?insecure_skip_verification=yes", "redis://h?user=s3cret", "redis://h?db=1&db=1",
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

    @Test("Encrypted, Sentinel and Cluster URLs")
    func schemes() throws {
        let encrypted = try RedisConfiguration(url: "rediss://h?ca_file=/ca.pem&cert_file=/c.pem&key_file=/k.pem&server_name=r.example")
        let tls = RedisTLS(authorityFile: "/ca.pem", certificateFile: "/c.pem", keyFile: "/k.pem", serverName: "r.example")
        #expect(encrypted.tls == tls)
        #expect(try RedisConfiguration(url: "redis://h").tls == nil)

        let url = "rediss-sentinel://me:pw@a:1,b,[::1]:3/the%20master/2?sentinel_user=s&sentinel_password=p%40"
        let watched = try RedisConfiguration(url: url)
        guard case .sentinel(let sentinels) = watched.topology else { throw LimiterError(.badRequest, "no sentinels") }
        #expect(sentinels.endpoints == [.host("a", port: 1), .host("b", port: 26_379), .host("::1", port: 3)])
        #expect(sentinels.master == "the master" && watched.database == 2 && watched.tls == RedisTLS())
        #expect(sentinels.credentials?.current?.password == "p@" && sentinels.credentials?.current?.user == "s")
        #expect(watched.credentials?.current?.password == "pw")

        guard case .cluster(let cluster) = try RedisConfiguration(url: "redis-cluster://a:1,b?allow_hosts=10.0.*,c").topology else {
            throw LimiterError(.badRequest, "no cluster")
        }
        #expect(cluster.seeds == [.host("a", port: 1), .host("b", port: 6_379)])
        let allowed = ["10.0.3.4", "c", "a", "b"].allSatisfy { cluster.allows($0) }
        #expect(allowed && !cluster.allows("10.1.0.1") && !cluster.allows("10.0"))
    }

    @Test("A password may stand in the environment or in a file, and in one place only")
    func passwordSources() throws {
        let configuration = try RedisConfiguration(
            url: "redis://h?user=me&password_env=SECRET",
            environment: { $0 == "SECRET" ? "s3cret" : nil }
        )
        #expect(configuration.credentials?.current?.password == "s3cret" && configuration.credentials?.current?.user == "me")
        #expect(throws: LimiterError.self) { try RedisConfiguration(url: "redis://h?password_env=NONE", environment: { _ in nil }) }
        #expect(throws: LimiterError.self) { try RedisConfiguration(url: "redis://:a@h?password_file=/f") }
        // Nothing is read before the first connect.
        #expect(try RedisConfiguration(url: "redis://h?password_file=/nonexistent").credentials?.current == nil)
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
        #expect(refused { $0.topology = .standalone(.host("", port: 1)) })
        #expect(refused { $0.topology = .standalone(.unixSocket(path: "")) })
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

extension RedisConfiguration {
    /// The one server, when it is one.
    fileprivate var standalone: RedisEndpoint? {
        if case .standalone(let endpoint) = topology { endpoint } else { nil }
    }
}
