import Headgate
import TestSupport
import Testing

@Suite("Numbers and names")
struct ValidationTests {
    @Test("Limits whose numbers cannot be exact are refused")
    func refused() {
        let makers: [() throws -> Algorithm] = [
            { try .slidingWindowLog(-1, per: .seconds(1)) },
            { try .slidingWindowLog(1, per: .zero) },
            { try .slidingWindowLog(1, per: .seconds(-1)) },
            { try .slidingWindowLog(1, per: .microseconds(999)) },
            { try .slidingWindowLog(1, per: .seconds(401 * 86_400)) },
            { try .slidingWindowLog(1_000_001, per: .seconds(1)) },
            { try .slidingWindowLog(1_000_000_000_000, per: .seconds(86_400)) },
            { try .slidingWindowLog(1, per: .nanoseconds(1_000_001)) },
            { try .slidingWindowLog(20_000, per: .seconds(60), resolution: .zero) },
            { try .slidingWindowLog(20, per: .seconds(60), resolution: .seconds(61)) },
            { try .tokenBucket(10, per: .seconds(1), burst: -1) },
            { try .tokenBucket(0, per: .seconds(1), burst: 5) },
            { try .tokenBucket(1, per: .seconds(86_400), burst: 500) },
            { try .tokenBucket(1, per: .seconds(86_400), burst: .max) },
            { try .tokenBucket(2_097_153, per: Algorithm.longestWindow, burst: Algorithm.mostUnits) },
            { try .fixedWindow(.max, per: .seconds(400 * 86_400)) },
            { try .slidingWindowCounter(2, per: .microseconds(1)) },
            { try .concurrency(-1) },
            { try .concurrency(10_001) },
            { try .concurrency(1, timeToLive: .zero) },
        ]
        for make in makers { #expect(throws: LimiterError.self) { try make() } }
    }

    @Test("The extremes that are exact are accepted")
    func accepted() throws {
        _ = try Algorithm.slidingWindowLog(1, per: .milliseconds(1))
        _ = try Algorithm.slidingWindowLog(0, per: .seconds(3_600))
        _ = try Algorithm.fixedWindow(1_000_000, per: .seconds(1))
        _ = try Algorithm.tokenBucket(Algorithm.mostUnits, per: .seconds(400 * 86_400))
        _ = try Algorithm.tokenBucket(999_983, per: .seconds(86_400), burst: 1_000_000)
        _ = try Algorithm.slidingWindowCounter(Algorithm.mostUnits, per: Algorithm.longestWindow)
    }

    @Test("A log is exact up to 1,000 units, and has 1,000 slots above")
    func resolution() throws {
        #expect(try Algorithm.slidingWindowLog(1_000, per: .seconds(3_600)).slot == 1)
        #expect(try Algorithm.slidingWindowLog(1_000_000, per: .seconds(3_600)).slot == 3_600_000)
    }

    @Test(
        "A limit's id has no character with a meaning in keys",
        arguments: ["", "a b", "a:b", "a{b", "a}b", "a\u{0}", "ä", String(repeating: "a", count: 129)]
    )
    func limitIDs(id: String) {
        #expect(throws: LimiterError.self) { try Limit(id, try .fixedWindow(1, per: .seconds(1))) }
    }

    @Test("A plain name stays readable, any other becomes a hash, and no two are the same")
    func identities() throws {
        #expect(try Identity(.account, "acme").tag == "a:acme")
        #expect(try Identity(.key, "k_1.2-3@x").tag == "k:k_1.2-3@x")
        #expect(try Identity(.account, String(repeating: "x", count: 256)).tag.utf8.count == 258)
        #expect(try Identity(.account, String(repeating: "x", count: 257)).tag.utf8.count == 67)
        // printf 'a b' | sha256sum
        #expect(try Identity(.account, "a b").tag == "a:#c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65")
        let hostile = ["a:b", "a#b", "{a}", "a}", "a\r\n", "a%", "*", "é", "e\u{301}", " ", "#", String(repeating: "#", count: 65)]
        let tags = try hostile.map { try Identity(.account, $0).tag } + [try Identity(.account, "ab").tag]
        #expect(Set(tags).count == tags.count)
        for tag in tags { #expect(!tag.dropFirst(2).contains(where: { "{}:\r\n %*".contains($0) })) }
        #expect(try Identity(.account, "x") != Identity(.key, "x"))
        for name in ["", "a\u{0}b"] { #expect(throws: LimiterError.self) { try Identity(.account, name) } }
    }

    @Test("An identity comes back from its tag, and a forged tag does not")
    func tags() throws {
        for name in ["acme", "a b", String(repeating: "x", count: 300)] {
            let identity = try Identity(.account, name)
            #expect(try Identity(tag: identity.tag) == identity)
        }
        for tag in ["", "a", "a:", "x:acme", "a:a b", "a:#12", "a:a:b", "a:{", "acme"] {
            #expect(throws: LimiterError.self) { try Identity(tag: tag) }
        }
    }

    @Test("A hundred thousand random names give as many tags")
    func noCollisions() throws {
        var random = Generator(seed: 5)
        let alphabet: [Character] = ["a", "b", ":", "#", "{", "}", "%", "é", " ", "."]
        var names: Set<[UInt8]> = []
        var tags: Set<String> = []
        for _ in 0..<100_000 {
            let name = String((0..<Int.random(in: 1...12, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
            names.insert(Array(name.utf8))
            tags.insert(try Identity(.account, name).tag)
        }
        #expect(names.count == tags.count)
    }
}
