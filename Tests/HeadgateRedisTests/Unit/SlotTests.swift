import Headgate
import Testing

@testable import HeadgateRedis

@Suite("Slots of a cluster")
struct SlotTests {
    /// An entry of CLUSTER SLOTS.
    static func entry(_ first: Int64, _ last: Int64, _ host: String?, _ port: Int64) -> RedisValue {
        let node: [RedisValue] = [host.map { .bytes(Array($0.utf8)) } ?? .null, .integer(port), .bytes(Array("id".utf8))]
        return .array([.integer(first), .integer(last), .array(node)])
    }

    private func code(_ reply: RedisValue) -> LimiterError.Code? {
        do throws(LimiterError) {
            _ = try SlotMap(reply, askedAt: "10.0.0.1")
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        "Keys have the slots that Redis gives them",
        arguments: [
            ("123456789", 12_739), ("", 0), ("foo", 12_182), ("{foo}bar", 12_182), ("a{foo}{bar}", 12_182), ("foo{}{bar}", 8_363),
            ("foo{{bar}}zap", 4_015), ("foo{bar", 15_278), ("{}", 15_257), ("hg:{a:acme}:calls:log1", 15_568), ("}{", 12_793),
        ]
    )
    func slots(_ key: String, _ slot: Int) { #expect(HashSlot.of(key) == slot) }

    @Test("A map names each slot's master; an empty or missing host is the one that was asked")
    func map() throws {
        let map = try SlotMap(
            .array([SlotTests.entry(0, 99, "10.0.0.2", 1), SlotTests.entry(100, 199, "", 2), SlotTests.entry(200, 16_383, nil, 3)]),
            askedAt: "10.0.0.1"
        )
        #expect(map.masters == [.host("10.0.0.2", port: 1), .host("10.0.0.1", port: 2), .host("10.0.0.1", port: 3)])
        #expect(map[99] == .host("10.0.0.2", port: 1) && map[100] == .host("10.0.0.1", port: 2))
        #expect(map[16_383] == .host("10.0.0.1", port: 3))
    }

    @Test("Slots of masters that a node cannot place have no owner")
    func unknownPlaces() throws {
        let far = String(repeating: "x", count: 254)
        for (host, port) in [("?", 6_379), ("10.0.0.9", 0), ("10.0.0.9", 65_536), ("10.0.0.9", -1), ("a b", 1), ("a\nb", 1), (far, 1)]
            as [(String, Int64)]
        {
            let map = try SlotMap(.array([SlotTests.entry(0, 9, host, port), SlotTests.entry(10, 11, "10.0.0.2", 1)]), askedAt: "10.0.0.1")
            #expect(map[0] == nil && map[10] == .host("10.0.0.2", port: 1), "\(host):\(port)")
            #expect(map.masters.count == 1)
        }
    }

    @Test("What is no list of slots is refused, and nobody falls over it")
    func hostile() {
        let good = SlotTests.entry(0, 16_383, "h", 1)
        let ranges: [(Int64, Int64)] = [
            (0, -5), (-1, 5), (5, 4), (0, 16_384), (0, .max), (.max, .max), (.min, .max), (.min, .min), (.max, 0),
        ]
        for (first, last) in ranges { #expect(code(.array([SlotTests.entry(first, last, "h", 1)])) == .wireProtocol, "\(first)-\(last)") }
        let broken: [RedisValue] = [
            .array([.integer(1)]), .array([.array([])]), .array([.array([.integer(0), .integer(1)])]),
            .array([.array([.integer(0), .integer(1), .null])]), .array([.array([.integer(0), .integer(1), .array([.null])])]),
            .array([.array([.null, .integer(1), .array([.null, .integer(1)])])]), .array([good, good]),
            .array([SlotTests.entry(0, 16_382, "h", 1), SlotTests.entry(16_382, 16_383, "i", 1)]),
        ]
        for reply in broken { #expect(code(reply) == .wireProtocol) }
        let crowd = (0...SlotMap.mostMasters).map { SlotTests.entry(Int64($0), Int64($0), "h", Int64($0 + 1)) }
        #expect(code(.array(crowd)) == .wireProtocol)
        for reply in [.array([]), .integer(1), .null, .bytes([])] as [RedisValue] { #expect(code(reply) == .clusterDown) }
    }

    @Test("A slot moves to a master that is known or new, up to the most that there may be")
    func moves() throws {
        var map = try SlotMap(.array([SlotTests.entry(0, 16_383, "h", 1)]), askedAt: "")
        map.move(7, to: .host("i", port: 2))
        #expect(map[7] == .host("i", port: 2) && map[8] == .host("h", port: 1) && map.masters.count == 2)
        for port in 1...2 * SlotMap.mostMasters { map.move(9, to: .host("j", port: port)) }
        #expect(map.masters.count == SlotMap.mostMasters)
        map.move(8, to: .host("i", port: 2))
        #expect(map[8] == .host("i", port: 2))
    }

    @Test("A master's tag lies in one of its slots, also when it has one alone")
    func tags() throws {
        let rest = [SlotTests.entry(0, 5_000, "h", 1), SlotTests.entry(5_002, 16_383, "h", 1)]
        let map = try SlotMap(.array(rest + [SlotTests.entry(5_001, 5_001, "i", 1)]), askedAt: "")
        #expect(map.tag(of: 0) == "headgate")
        let tag = try #require(map.tag(of: 1))
        #expect(HashSlot.of("hg:{g:\(tag)}:x") == 5_001)
        #expect(map.tag(of: 2) == nil)
    }

    @Test(
        "A redirect's line says where to",
        arguments: [
            ("MOVED 3999 127.0.0.1:6381", 3_999, "127.0.0.1", 6_381), ("ASK 0 host.example:1", 0, "host.example", 1),
            ("MOVED 16383 :6381", 16_383, "", 6_381), ("ASK 1 ::1:65535", 1, "::1", 65_535),
        ]
    )
    func redirects(_ line: String, _ slot: Int, _ host: String, _ port: Int) throws {
        let redirect = try #require(Redirect(line))
        #expect(redirect.slot == slot && redirect.host == host && redirect.port == port)
    }

    @Test(
        "A line that names no place is no redirect",
        arguments: [
            "", "MOVED", "MOVED ", "MOVED 1", "MOVED 1 ", "MOVED 1 h", "MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536", "MOVED 1 h:-1",
            "MOVED 1 h:+1", "MOVED 1 h:1 ", "MOVED  1 h:1", "MOVED 16384 h:1", "MOVED -1 h:1", "MOVED 99999999999999999999 h:1",
            "MOVED 1 h:99999999999999999999", "MOVED 1 ?:6379", "MOVED 1 ?:0", "moved 1 h:1", "MOVED x h:1", "MOVED 1 h\u{e9}:1",
            "MOVED 1 h\u{7}:1", "MOVED 1 h:٣", "TRYAGAIN 1 h:1", "MOVED 1 \(String(repeating: "x", count: 254)):1",
        ]
    )
    func noRedirects(_ line: String) { #expect(Redirect(line) == nil) }
}
