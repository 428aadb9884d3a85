import HTTPTypes
import Headgate
import HeadgateHTTP
import TestSupport
import Testing

@Suite("Trust in proxies")
struct AddressesTrustTests {
    @Test(
        "is read from text, and printed as it is read",
        arguments: [
            ("nobody", "nobody"), ("0", "nobody"), ("2", "2"), (" 64 ", "64"), ("10.0.0.0/8,::1", "10.0.0.0/8,::1"),
            ("10.0.0.0/8 , ::1", "10.0.0.0/8,::1"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("192.0.2.1/32", "192.0.2.1"), ("0.0.0.0/0,::/0", "0.0.0.0/0,::/0"),
            ("2001:DB8::/32", "2001:db8::/32"),
        ]
    )
    func text(text: String, printed: String) throws {
        let trust = try ProxyTrust(text)
        #expect(trust.description == printed)
        #expect(try ProxyTrust(printed) == trust)
    }

    @Test(
        "names what is wrong",
        arguments: [
            ("", "'' names no proxies"), ("10.0.0.0/8,", "names no proxies"), ("65", "65 proxies are out of range"),
            ("-1", "-1 proxies are out of range"),
            ("10.0.0.0/33", "expected 0 to 32 behind the slash"), ("::1/129", "expected 0 to 128"),
            ("::ffff:10.0.0.0/8", "expected 96 to 128"),
            ("10.0.0.1/8", "'10.0.0.1/8' has bits behind its first 8"), ("10.0.0.0/+8", "behind the slash"),
            ("10.0.0.0/", "behind the slash"),
            ("2,10.0.0.1", "'2' is no address"), ("example.com", "'example.com' is no address"), ("010.0.0.1", "'010.0.0.1' is no address"),
        ]
    )
    func errors(text: String, message: String) {
        #expect { try ProxyTrust(text) } throws: { error in
            let error = error as? LimiterError
            return error?.code == .badRequest && error?.message.contains(message) == true
        }
    }

    @Test("holds for exactly the addresses of a range")
    func ranges() throws {
        let trust = try ProxyTrust("10.0.0.0/9,2001:db8:8000::/33,::1")
        for (text, isTrusted) in [
            ("10.0.0.0", true), ("10.127.255.255", true), ("10.128.0.0", false), ("9.255.255.255", false), ("::ffff:10.1.2.3", true),
            ("::10.1.2.3", false),
            ("2001:db8:8000::", true), ("2001:db8:ffff:ffff::", true), ("2001:db8:7fff::", false), ("::1", true), ("::2", false),
            ("0.0.0.1", false),
        ] {
            #expect(trust.trusts(try #require(NetworkAddress(text))) == isTrusted, "\(text)")
        }
    }
}

@Suite("The client of a request")
struct AddressesClientTests {
    /// A request's fields, the trust, and who the client is; the peer is 10.0.0.1.
    struct Row: Sendable, CustomTestStringConvertible {
        let trust: String
        let lines: [String]
        let client: String

        init(_ trust: String, _ lines: [String], is client: String) {
            (self.trust, self.lines, self.client) = (trust, lines, client)
        }

        var testDescription: String { "\(trust) \(lines)" }

        func found(peer: String = "10.0.0.1") throws -> NetworkAddress {
            var fields = HTTPFields()
            for line in lines {
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                fields.append(HTTPField(name: try #require(HTTPField.Name(String(parts[0]))), value: String(parts[1])))
            }
            return ClientAddress(peer: try #require(NetworkAddress(peer)), fields: fields, trust: try ProxyTrust(trust)).address
        }
    }

    /// Row 74 of the reliability list, and what else proxies send.
    static let rows: [Row] = [
        // Nobody is believed by default, and a stranger never.
        Row("nobody", ["X-Forwarded-For: 1.1.1.1", "Forwarded: for=1.1.1.1", "X-Real-IP: 1.1.1.1"], is: "10.0.0.1"),
        Row("192.168.0.0/16", ["X-Forwarded-For: 1.1.1.1", "Forwarded: for=1.1.1.1"], is: "10.0.0.1"),
        // The rightmost stranger; what is left of it is the client's own claim.
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 6.6.6.6, 1.1.1.1"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 10.9.9.9, 1.1.1.1, 10.2.2.2"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 1.1.1.1", "X-FORWARDED-FOR: 10.0.0.2"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 10.3.3.3, 10.2.2.2"], is: "10.3.3.3"),
        // Many commas, blanks, ports, zones, spellings.
        Row("10.0.0.0/8", ["X-Forwarded-For: ,,6.6.6.6,,, ,1.1.1.1,, ,\t,"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: \(String(repeating: ",", count: 9_000)), 1.1.1.1"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1\(String(repeating: ",", count: 100))"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1:5678"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: [2001:db8::1]:5678"], is: "2001:db8::1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: [2001:DB8::1%25eth0]"], is: "2001:db8::1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 2001:db8::1%eth0"], is: "2001:db8::1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1, ::ffff:10.2.2.2"], is: "1.1.1.1"),
        // What cannot be read ends the way: the last believed proxy is counted.
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1, unknown"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1, 010.2.2.2, 10.3.3.3"], is: "10.3.3.3"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1:99999999"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: [1.1.1.1]"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: [2001:db8::1]x"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: "], is: "10.0.0.1"),
        Row("10.0.0.0/8", [], is: "10.0.0.1"),
        // Other fields change nothing.
        Row("10.0.0.0/8", ["X-Real-IP: 6.6.6.6"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1", "Connection: x-forwarded-for", "X-Real-IP: 6.6.6.6"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Connection: X-Forwarded-For, close"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1", "Forwarded: for=6.6.6.6"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["X-Forwarded-For:", "Forwarded: for=6.6.6.6"], is: "10.0.0.1"),
        // A number of proxies: exactly that entry.
        Row("1", ["X-Forwarded-For: 6.6.6.6, 1.1.1.1"], is: "1.1.1.1"),
        Row("2", ["X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.2.2.2"], is: "1.1.1.1"),
        Row("2", ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 1.1.1.1,,10.2.2.2,"], is: "1.1.1.1"),
        Row("3", ["X-Forwarded-For: 1.1.1.1, 10.2.2.2"], is: "1.1.1.1"),
        Row("3", ["X-Forwarded-For: 1.1.1.1, nonsense, 10.2.2.2"], is: "10.2.2.2"),
        Row("2", [], is: "10.0.0.1"),
        Row("2", ["X-Real-IP: 6.6.6.6"], is: "10.0.0.1"),
        // RFC 7239.
        Row("10.0.0.0/8", ["Forwarded: for=6.6.6.6, FOR=1.1.1.1;proto=http;by=10.0.0.1"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Forwarded: by=10.0.0.1 ; for=\"1.1.1.1:80\""], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Forwarded: for=6.6.6.6", "Forwarded: For=\"[2001:DB8::17]:4711\""], is: "2001:db8::17"),
        Row("10.0.0.0/8", ["Forwarded: for=\"\\1.1.1.1\";host=\"a,b;for=6.6.6.6\""], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Forwarded: for=1.1.1.1;host=\"a\\\"b,c\""], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Forwarded: for=6.6.6.6;host=\"a\\\\\", for=1.1.1.1"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Forwarded: for=\"6.6.6.6, for=1.1.1.1"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Forwarded: host=\"\\\", for=1.1.1.1"], is: "1.1.1.1"),
        Row("10.0.0.0/8", ["Forwarded: for=1.1.1.1, proto=https"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["Forwarded: for=1.1.1.1;for=6.6.6.6"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["Forwarded: for=1.1.1.1, for=_hidden, for=10.2.2.2"], is: "10.2.2.2"),
        Row("10.0.0.0/8", ["Forwarded: for=unknown"], is: "10.0.0.1"),
        Row("10.0.0.0/8", ["Forwarded: 1.1.1.1"], is: "10.0.0.1"),
        Row("2", ["Forwarded: for=6.6.6.6, for=1.1.1.1, for=10.2.2.2"], is: "1.1.1.1"),
    ]

    @Test("is the last address of the way back that a believed proxy vouches for", arguments: rows)
    func client(_ row: Row) throws {
        #expect(try row.found() == NetworkAddress(row.client))
    }

    @Test("is not changed by anything that it writes itself", arguments: ["10.0.0.0/8", "1"])
    func forgery(trust: String) throws {
        var random = Generator(seed: 78)
        let alphabet = Array("10.6:fF,,;;=\"\"\\ for[]%\t")
        for _ in 0..<20_000 {
            let claim = String((0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "," })
            let known = ["X-Forwarded-For: \(claim), 1.1.1.1", "X-Forwarded-For: 1.1.1.1"]
            let lines = Bool.random(using: &random) ? [known[0]] : ["X-Forwarded-For: \(claim)", known[1]]
            #expect(try Row(trust, lines, is: "").found() == NetworkAddress("1.1.1.1"), "\(lines)")
            // The peer is no proxy: the claim is all there is.
            #expect(try Row("10.0.0.0/8", lines, is: "").found(peer: "2.2.2.2") == NetworkAddress("2.2.2.2"))
        }
    }

    @Test("costs no more for a long field than for a short one")
    func bounded() throws {
        let way = (1...200).map { "10.0.0.\($0)" }.joined(separator: ", ")
        #expect(try Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1, \(way)"], is: "").found() == NetworkAddress("10.0.0.137"))
        let padding = String(repeating: " ", count: 8_200)
        #expect(try Row("10.0.0.0/8", ["X-Forwarded-For: 1.1.1.1,\(padding), 10.0.0.9"], is: "").found() == NetworkAddress("10.0.0.9"))
    }
}
