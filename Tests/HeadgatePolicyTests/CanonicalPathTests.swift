import Headgate
import HeadgatePolicy
import Testing

@Suite("Paths in canonical form")
struct CanonicalPathTests {
    @Test(
        "All spellings of one route are one path",
        arguments: [
            "/a/b", "//a/b", "/a//b", "/a/./b", "/a/x/../b", "/a/b/", "/a/%62", "/a/b;x=1", "/a;y/b", "/a/b?x", "/a/b#x", "/a/b/.",
            "/a/b/x/..",
            "/a/%2e/b", "/a/x/%2E%2e/b", "/a/x/..;v=1/b", "/../a/b", "http://host/a/b", "HTTPS://user@host:8080/a/b?x", "/%61/b", "/a/;/b",
            "///a///b///",
            "/a/b?\u{0}\\%zz", "/a/b#é",
        ]
    )
    func spellings(_ target: String) throws {
        #expect(try CanonicalPath(target).text == "/a/b")
    }

    @Test(
        "Other routes stay other paths",
        arguments: [
            ("/a%252Fb", "/a%252Fb"), ("/A/B", "/A/B"), ("/a/b%20", "/a/b%20"), ("/a/b.json", "/a/b.json"), ("*", "*"), ("/", "/"),
            ("http://host", "/"), ("http://host?x", "/"), ("/..", "/"), ("/a%3bx/b", "/a%3Bx/b"), ("/%c3%a9", "/%C3%A9"), ("/%FF", "/%FF"),
            ("/a|b", "/a%7Cb"), ("/a%7cb", "/a%7Cb"), ("/%0d%0a", "/%0D%0A"), ("/%252e%252e/a", "/%252e%252e/a"), ("/...", "/..."),
            ("/.a", "/.a"), ("/a:b@c", "/a:b@c"), ("/*", "/*"),
        ]
    )
    func others(_ target: String, _ expected: String) throws {
        #expect(try CanonicalPath(target).text == expected)
    }

    @Test(
        "What servers read in different ways is refused, with what and where",
        arguments: [
            ("/a%2Fb", "an encoded slash (at byte 3)"), ("/a%2fb", "an encoded slash (at byte 3)"), ("/a\\b", "a backslash (at byte 3)"),
            ("/a%5cb", "an encoded backslash (at byte 3)"), ("/%00", "an encoded NUL (at byte 2)"), ("/%", "hex digits (at byte 2)"),
            ("/%4", "hex digits"), ("/%zz", "hex digits"), ("/a;%zz", "hex digits"),
            ("/é", "outside ASCII; expected its %-escape (at byte 2)"), ("/a b", "a blank"),
            ("/a\r\nb", "control character"), ("/a\u{0}b", "control character"), ("/\u{7F}", "control character"),
            (String(decoding: [0x2F, 0xC3, 0x28], as: UTF8.self), "outside ASCII"), ("", "begins with '/'"), ("a/b", "begins with '/'"),
            ("?x", "begins with '/'"), (".a", "begins with '/'"), ("./a", "begins with '/'"), ("**", "begins with '/'"),
            ("ftp://host/a", "begins with '/'"), ("http:///a", "no host"),
            ("http://ho\\st/a", "a backslash"),
        ]
    )
    func refused(_ target: String, _ message: String) {
        let error = #expect(throws: LimiterError.self) { try CanonicalPath(target) }
        #expect(error?.code == .invalidPath)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("A path may have 8 KB and no more, without its query")
    func length() throws {
        let longest = "/" + String(repeating: "a", count: CanonicalPath.longest - 1)
        #expect(try CanonicalPath(longest).text == longest)
        #expect(try CanonicalPath(longest + "?" + longest).text == longest)
        #expect(throws: LimiterError.self) { try CanonicalPath(longest + "a") }
        #expect(throws: LimiterError.self) { try CanonicalPath("/" + String(repeating: "/", count: CanonicalPath.longest)) }
        // Escaping makes it longer.
        #expect(throws: LimiterError.self) { try CanonicalPath("/" + String(repeating: "|", count: CanonicalPath.longest / 2)) }
    }

    @Test("Canonical form of canonical form is the same")
    func idempotent() throws {
        var random = FixedRandom(state: 7)
        let parts = [
            "/", "/", "a", "B", ".", "..", "%2e", "%2E", "%41", "%7e", "%25", "%20", ";", "x=1", "//", "%3b", "~", "|", "*", ":", "%2525",
            "%c3", "?q", "#f",
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            var target = "/"
            for _ in 0..<Int.random(in: 0...10, using: &random) { target += parts.randomElement(using: &random) ?? "" }
            guard let path = try? CanonicalPath(target) else { continue }
            accepted += 1
            #expect(try CanonicalPath(path.text) == path, "\(target)")
            let segments = path.text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            #expect(path.text == "/" || !segments.contains { $0.isEmpty || $0 == "." || $0 == ".." || $0.contains(";") }, "\(target)")
        }
        #expect(accepted > 15_000)
    }
}
