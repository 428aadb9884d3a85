import HTTPTypes
import Headgate
import Testing

@testable import HeadgateGateway

@Suite("An upstream")
struct UpstreamTests {
    @Test(
        "is read from its URL",
        arguments: [
            ("http://localhost", "http://localhost:80"), ("https://api.example", "https://api.example:443"),
            ("HTTP://10.0.0.1:8080/", "http://10.0.0.1:8080"),
            ("http://[::1]:3000/v2/", "http://[::1]:3000/v2"), ("http://my_service:1/a//", "http://my_service:1/a"),
            ("http://a/b/c%20d", "http://a:80/b/c%20d"),
        ]
    )
    func read(text: String, canonical: String) throws {
        #expect(try Upstream(text).description == canonical)
        #expect(try Upstream(canonical) == Upstream(text))
    }

    @Test(
        "names what is wrong with its URL",
        arguments: [
            ("", "another scheme"), ("localhost:3000", "another scheme"), ("ftp://a", "another scheme"), ("http:/a", "another scheme"),
            ("http://", "no name and no address"), ("http://:80", "no name and no address"), ("http://a b", "no name and no address"),
            ("http://é", "no name and no address"), ("http://[::1", "no name and no address"),
            ("http://[1.2.3.4]", "no name and no address"),
            ("http://::1", "no name and no address"), ("http://a:b:1", "the port is none"), ("http://a:0", "the port is none"),
            ("http://a:65536", "the port is none"), ("http://a:", "the port is none"), ("http://a:80x", "the port is none"),
            ("http://user:word@a", "credentials"), ("http://a/?q", "more than a path"), ("http://a#f", "more than a path"),
            ("http://a/ b", "more than a path"),
        ]
    )
    func wrong(text: String, reason: String) {
        #expect { try Upstream(text) } throws: { error in
            let error = error as? LimiterError
            return error?.code == .badRequest && error?.message.contains(reason) == true
        }
    }

    @Test(
        "gets the target behind its path",
        arguments: [
            ("", "GET", "/", "/"), ("", "GET", "/a?b#c", "/a?b"), ("", "GET", "/../a", "/../a"), ("/v2", "GET", "/a%2fb", "/v2/a%2fb"),
            ("/v2", "GET", "/a..b/...", "/v2/a..b/..."),
            ("/v2", "GET", "/a?/../", "/v2/a?/../"), ("/v2", "OPTIONS", "*", "*"), ("/v2", "GET", "/../a", nil),
            ("/v2", "GET", "/a/.%2E", nil),
            ("/v2", "GET", "/a\\..\\b", nil), ("/v2", "GET", "/%2e%2e;x/b", nil), ("", "GET", "*", nil), ("", "GET", "a", nil),
            ("", "GET", "", nil),
        ] as [(String, String, String, String?)]
    )
    func targets(prefix: String, method: String, path: String, target: String?) throws {
        let upstream = try Upstream("http://a\(prefix)")
        let request = HTTPRequest(method: try #require(.init(method)), scheme: "http", authority: "a", path: path)
        #expect((try? upstream.target(of: request)) == target)
    }
}
