import HTTPTypes
import HeadgateHTTP
import Testing

@testable import HeadgateGateway

@Suite("The fields of a request that is passed on")
struct FieldsTests {
    /// Who sends, what they say, and what the upstream is told: lines of each field that tells the client.
    static let rows: [(peer: String?, trust: String, lines: [String], told: [String])] = [
        ("192.0.2.1", "nobody", [], ["x-forwarded-for: 192.0.2.1", "x-forwarded-host: api", "x-forwarded-proto: http"]),
        (
            "192.0.2.1", "10.0.0.0/8",
            [
                "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Forwarded-Port: 1",
                "X-Forwarded-Prefix: /",
                "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6", "Connection: x-forwarded-for, x-real-ip",
            ],
            ["x-forwarded-for: 192.0.2.1", "x-forwarded-host: api", "x-forwarded-proto: http"]
        ),
        (
            "10.0.0.1", "10.0.0.0/8",
            [
                "X-Forwarded-For: 6.6.6.6, 1.1.1.1", "X-Forwarded-For: 10.2.2.2", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop",
                "X-Real-IP: 1.1.1.1",
            ],
            [
                "x-forwarded-for: 6.6.6.6, 1.1.1.1, 10.2.2.2, 10.0.0.1", "x-forwarded-host: shop", "x-forwarded-proto: https",
                "x-real-ip: 1.1.1.1",
            ]
        ),
        (
            "2001:db8::1", "1", ["Forwarded: for=1.1.1.1", "Connection: forwarded, x-forwarded-for"],
            [
                "forwarded: for=\"[2001:db8::1]\"", "forwarded: for=1.1.1.1", "x-forwarded-for: 2001:db8::1", "x-forwarded-host: api",
                "x-forwarded-proto: http",
            ]
        ),
        (nil, "1", ["X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6"], ["x-forwarded-host: api", "x-forwarded-proto: http"]),
    ]

    @Test("tell the client as far as the one who sends them is believed", arguments: rows)
    func forwarded(peer: String?, trust: String, lines: [String], told: [String]) throws {
        let request = HTTPRequest(method: .get, scheme: "http", authority: "api", path: "/", headerFields: try HTTPFields(lines: lines))
        let fields = request.forwardedFields(from: peer.flatMap { NetworkAddress($0) }, trust: try ProxyTrust(trust))
        #expect(fields.map { "\($0.name.canonicalName): \($0.value)" }.sorted() == told)
    }

    @Test("are those that are meant for more than one hop")
    func endToEnd() throws {
        let fields = try HTTPFields(lines: [
            "Connection: close, X-One", "connection: x-two", "X-One: 1", "X-Two: 2", "X-Three: 3", "Keep-Alive: a", "Proxy-Connection: a",
            "TE: trailers",
            "Transfer-Encoding: chunked", "Upgrade: a", "Authorization: a", "Cookie: a", "Content-Length: 5",
        ])
        #expect(fields.endToEnd.map(\.name.canonicalName) == ["x-three", "authorization", "cookie", "content-length"])
    }

    @Test("ask for another protocol only when both say so, and it is not HTTP/2")
    func upgrades() throws {
        func wants(_ method: HTTPRequest.Method = .get, _ lines: String...) throws -> Bool {
            HTTPRequest(method: method, scheme: nil, authority: "a", path: "/", headerFields: try HTTPFields(lines: lines)).wantsUpgrade
        }
        #expect(try wants(.connect))
        #expect(try wants(.get, "Connection: keep-alive, Upgrade", "Upgrade: websocket"))
        #expect(try !wants(.get, "Upgrade: websocket"))
        #expect(try !wants(.get, "Connection: Upgrade"))
        #expect(try !wants(.get, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"))
    }
}

extension HTTPFields {
    init(lines: [String]) throws {
        self.init()
        for line in lines {
            let parts = line.split(separator: ": ", maxSplits: 1)
            append(HTTPField(name: try #require(HTTPField.Name(String(parts[0]))), value: String(parts[1])))
        }
    }
}
