import Headgate
import HeadgateHTTP
import TestSupport
import Testing

@Suite("An address")
struct AddressesSpellingTests {
    @Test(
        "is the same client however it is spelt",
        arguments: [
            ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:c000:0201", "0:0:0:0:0:ffff:192.0.2.1", "64:ff9b::192.0.2.1", "64:FF9B::c000:201"],
            ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8::0001", "2001:db8:0:0::1", "2001:db8::1%eth0", "2001:db8::0.0.0.1"],
            ["::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0:1", "::1%lo", "::0.0.0.1"],
            ["::", "0::0", "0:0:0:0:0:0:0:0", "::0.0.0.0"],
        ]
    )
    func spellings(_ spellings: [String]) throws {
        let addresses = try spellings.map { try #require(NetworkAddress($0), "\($0)") }
        #expect(Set(addresses).count == 1)
        #expect(addresses[0].description == spellings[0])
        #expect(try Set(addresses.map { try $0.identity() }).count == 1)
    }

    @Test(
        "is read only when two readers cannot take it differently",
        arguments: [
            "", " ", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.004", "1.2.3.256", "1.2.3.-4", "+1.2.3.4", "0x1.2.3.4", "1.2.3.4 ",
            " 1.2.3.4",
            "1.2.3.", ".1.2.3", "1.2.3.4%eth0", "1.2.3.4/8", "1.2.3.4:80", "[::1]", "[::1]:80", "::1%", "%eth0", ":", ":::", "1::2::3",
            "1:", ":1",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "g::1", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5",
            "::01.2.3.4",
            "１.２.３.４", "::１", "localhost", "unknown", "_hidden", "::1\u{0}", "1.2.3.4\n", String(repeating: "0", count: 100_000),
        ]
    )
    func strict(_ text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test("is unwrapped by its bits and not by its notation")
    func bits() {
        #expect(NetworkAddress(v6: 0xffff_0a00_0001) == NetworkAddress(v4: 0x0a00_0001))
        #expect(NetworkAddress(v6: 0x64_ff9b << 96 | 0x0a00_0001) == NetworkAddress(v4: 0x0a00_0001))
        // Neither the deprecated IPv4-compatible form nor the local-use NAT64 prefix (RFC 8215) says that it is one.
        #expect(NetworkAddress("::10.0.0.1")?.family == .v6)
        #expect(NetworkAddress("64:ff9b:1::10.0.0.1")?.family == .v6)
    }

    @Test(
        "is printed in its canonical form",
        arguments: [
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
            ("0:0:1::", "0:0:1::"), ("1::", "1::"), ("ABCD::", "abcd::"),
        ]
    )
    func printed(text: String, canonical: String) {
        #expect(NetworkAddress(text)?.description == canonical)
    }

    @Test("is read back from what it prints")
    func roundTrip() {
        var random = Generator(seed: 74)
        for _ in 0..<20_000 {
            // Zeros in runs, so that every place of :: occurs.
            let groups = (0..<8).map { _ in Bool.random(using: &random) ? 0 : UInt128(UInt16.random(in: .min ... .max, using: &random)) }
            let v6 = NetworkAddress(v6: groups.reduce(0) { $0 << 16 | $1 })
            #expect(NetworkAddress(v6.description) == v6)
            let v4 = NetworkAddress(v4: .random(in: .min ... .max, using: &random))
            #expect(NetworkAddress(v4.description) == v4)
        }
    }

    @Test("is never more than a refusal, whatever is read")
    func noise() {
        var random = Generator(seed: 75)
        let alphabet = Array("0123456789abcfFxg.::%[]/ ,;=\"\\é\u{0}")
        var read = 0
        for _ in 0..<100_000 {
            let text = String((0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "." })
            guard let address = NetworkAddress(text) else { continue }
            read += 1
            #expect(NetworkAddress(address.description) == address)
        }
        #expect(read > 0)
    }
}

@Suite("An address is counted")
struct AddressesIdentityTests {
    @Test(
        "by itself when it is IPv4, and with its network when it is IPv6",
        arguments: [
            ("192.0.2.1", 64, "i:192.0.2.1"), ("::ffff:192.0.2.1", 48, "i:192.0.2.1"), ("2001:db8:0:1:2:3:4:5", 64, "i:2001-db8-0-1_64"),
            ("2001:db8:0:1::", 64, "i:2001-db8-0-1_64"), ("2001:db8:1:2ff::1", 56, "i:2001-db8-1-200_56"),
            ("2001:db8:1::1", 48, "i:2001-db8-1_48"),
            ("2001:db8::1", 128, "i:2001-db8-0-0-0-0-0-1_128"), ("64:ff9b:0:0:1::", 64, "i:64-ff9b-0-0_64"), ("::1", 64, "i:0-0-0-0_64"),
        ]
    )
    func names(text: String, prefix: Int, tag: String) throws {
        #expect(try #require(NetworkAddress(text)).identity(prefix: prefix).tag == tag)
    }

    @Test("as one client in all 2^64 addresses of a network, and as another in the next")
    func rotation() throws {
        var random = Generator(seed: 76)
        let network: UInt128 = 0x2001_0db8_0000_0001 << 64
        let identities = try (0..<10_000).map { _ in
            try NetworkAddress(v6: network | UInt128(UInt64.random(in: .min ... .max, using: &random))).identity()
        }
        #expect(Set(identities).count == 1)
        #expect(try NetworkAddress(v6: network + 1 << 64).identity() != identities[0])
    }

    @Test("under a name of its own, whatever the prefix")
    func injective() throws {
        var random = Generator(seed: 77)
        var networks: [String: UInt128] = [:]
        for _ in 0..<20_000 {
            let prefix = Int.random(in: 48...128, using: &random)
            // Few values, so that networks meet.
            let bits = (0..<8).reduce(UInt128(0)) { bits, _ in bits << 16 | UInt128(UInt16.random(in: 0...0x11, using: &random)) }
            let network = prefix == 128 ? bits : (bits >> UInt128(128 - prefix)) << UInt128(128 - prefix)
            let tag = try NetworkAddress(v6: bits).identity(prefix: prefix).tag
            #expect(networks.updateValue(network, forKey: tag).map { $0 == network } ?? true)
            #expect(!tag.contains("#"))
        }
    }

    @Test("never by a network that is too large or too small", arguments: [47, 129, 0, -1])
    func prefixes(prefix: Int) throws {
        let address = try #require(NetworkAddress("2001:db8::1"))
        #expect { try address.identity(prefix: prefix) } throws: { ($0 as? LimiterError)?.code == .badRequest }
    }
}
