import Headgate
import Testing

@testable import HeadgateRedis

@Suite("Keys")
struct KeySpaceTests {
    private let algorithms: [Algorithm]

    init() throws {
        algorithms = [
            try .slidingWindowLog(1, per: .seconds(1)), try .tokenBucket(1, per: .seconds(1)), try .fixedWindow(1, per: .seconds(1)),
            try .slidingWindowCounter(1, per: .seconds(1)), try .concurrency(1),
        ]
    }

    @Test("A key is plain text with the identity as its hash tag")
    func plain() throws {
        let keys = try KeySpace(prefix: "hg")
        let identity = try Identity(.account, "acme")
        #expect(
            try algorithms.map { keys.key(identity, try Limit("read", $0)) } == [
                "hg:{a:acme}:read:log1", "hg:{a:acme}:read:tb1", "hg:{a:acme}:read:fw1", "hg:{a:acme}:read:swc1", "hg:{a:acme}:read:con1",
            ]
        )
    }

    @Test("Different things never share a key, whatever a caller puts into a name")
    func injective() throws {
        let pieces = ["a", "A", ":", "}", "{", "#", "%", ".", "-", "_", "@", " ", "é", "e\u{301}", "\r\n", "*", "a:b", "}:x:fw1", "0"]
        let identifiers = ["a", "b", "a.b", "fw1", "%", "a#", "a-b", "a@b"]
        var generator = SystemRandomNumberGenerator()
        var seen: [String: [String]] = [:]
        let keys = try KeySpace(prefix: "hg")
        for _ in 0..<20_000 {
            let kind = Identity.Kind.allCases.randomElement(using: &generator) ?? .account
            let name = (0..<Int.random(in: 1...3)).compactMap { _ in pieces.randomElement(using: &generator) }.joined()
            let limit = try Limit(identifiers.randomElement() ?? "a", algorithms.randomElement() ?? algorithms[0])
            let identity = try Identity(kind, name)
            let key = keys.key(identity, limit)
            // Swift's == takes canonically equivalent texts for equal; Redis and SHA-256 do not.
            let origin = [kind.rawValue, name.utf8.map { String($0) }.joined(separator: "."), limit.id, limit.algorithm.format]
            #expect(seen[key, default: origin] == origin)
            seen[key] = origin
            let parsed = try #require(keys.parse(key))
            #expect(parsed.tag == identity.tag && parsed.limit == limit.id && parsed.format == limit.algorithm.format)
            #expect(key.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        }
        #expect(seen.count > 2_000)
    }

    @Test(
        "What is not one of our keys is not parsed",
        arguments: ["", "hg", "hg:{a:x}", "hg:{a:x}:l", "hg:{a:x}:l:f:g", "xx:{a:x}:l:f", "hg:{a:x}:l:"]
    )
    func foreign(_ key: String) throws {
        #expect(try KeySpace(prefix: "hg").parse(key) == nil)
    }
}
