import HeadgateGateway
import HeadgateHTTP
import TestSupport
import Testing

@Suite("A request is passed on", .serialized, .exclusive)
struct ForwardTests {
    @Test("with method, target, fields and body as they were sent, and its answer likewise; both connections serve the next")
    func exchange() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                let target = "/a%2Fb/..;/{x}|y?q=a+b&[]=\"^"
                client.send("PATCH \(target)#f HTTP/1.1\r\nHost: api.example:81\r\nX-Odd: 1\r\nx-odd: 2\r\nContent-Length: 5\r\n\r\nhello")
                let server = try await upstream.request()
                let request = try await server.wait(for: "hello")
                #expect(request.hasPrefix("PATCH \(target) HTTP/1.1\r\n"))
                for line in [
                    "Host: api.example:81", "X-Odd: 1", "x-odd: 2", "Content-Length: 5", "X-Forwarded-For: 127.0.0.1",
                    "X-Forwarded-Host: api.example:81", "X-Forwarded-Proto: http",
                ] {
                    #expect(request.contains("\r\n\(line)\r\n"), "\(line) in \(request)")
                }
                #expect(!request.contains("X-Headgate"))
                server.send("HTTP/1.1 299 Odd\r\nContent-Length: 2\r\nX-Odd: a\r\nx-odd: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok")
                let answer = try await client.wait(for: "\r\n\r\nok")
                // The phrase is not passed on: SwiftNIO does not keep it, and nobody reads it (RFC 9112 4).
                #expect(answer.hasPrefix("HTTP/1.1 299 \r\n"))
                for line in ["Content-Length: 2", "X-Odd: a", "x-odd: b", "Set-Cookie: a=1", "Set-Cookie: b=2"] {
                    #expect(answer.contains("\r\n\(line)\r\n"), "\(line) in \(answer)")
                }
                #expect(!answer.lowercased().contains("transfer-encoding"))
                client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
                try await server.wait(for: "GET /next HTTP/1.1\r\n")
                server.send("HTTP/1.1 204 No Content\r\n\r\n")
                try await client.wait(for: "HTTP/1.1 204 No Content\r\n")
            }
        }
    }

    @Test("behind the upstream's path, under the upstream's name when that is wanted, and never above the path")
    func prefix() async throws {
        try await RawServer.run { upstream in
            var target = try Upstream.local(upstream.port, path: "/base/")
            target.hostField = .upstream
            try await Gateway.run(to: target) { gateway in
                let client = try await gateway.connect()
                client.send("GET /a?b HTTP/1.1\r\nHost: api.example\r\n\r\n")
                let server = try await upstream.request()
                #expect(server.text.hasPrefix("GET /base/a?b HTTP/1.1\r\n"))
                #expect(server.text.lowercased().contains("\r\nhost: 127.0.0.1:\(upstream.port)\r\n"))
                #expect(server.text.contains("\r\nX-Forwarded-Host: api.example\r\n"))
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                try await client.wait(for: "HTTP/1.1 200 OK\r\n")
                client.send("GET /%2e%2E;/secret HTTP/1.1\r\nHost: api.example\r\n\r\n")
                try await client.wait(for: "HTTP/1.1 400 Bad Request\r\n")
                #expect(gateway.log.errors == [.invalidTarget])
            }
        }
    }

    @Test("without the fields of either hop, however a client tries to hide")
    func hopByHop() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port), trust: ProxyTrust("127.0.0.1")) { gateway in
                let client = try await gateway.connect()
                client.send(
                    """
                    GET / HTTP/1.1\r\nHost: a\r\nConnection: x-forwarded-for, X-Hop, keep-alive, TE\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\
                    Proxy-Connection: a\r\nTE: trailers, deflate\r\nX-Forwarded-For: 1.1.1.1\r\nX-Headgate-Account: root\r\n\r\n
                    """
                )
                let server = try await upstream.request()
                let request = server.text.lowercased()
                for name in ["x-hop:", "keep-alive:", "proxy-connection:", "x-headgate-", "deflate"] {
                    #expect(!request.contains(name), "\(name) in \(request)")
                }
                #expect(request.contains("\r\nx-forwarded-for: 1.1.1.1, 127.0.0.1\r\n"))
                #expect(request.contains("\r\nte: trailers\r\n"))
                server.send("HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok")
                let answer = try await client.wait(for: "\r\n\r\nok").lowercased()
                #expect(!answer.contains("x-hop") && !answer.contains("keep-alive"))
            }
        }
    }

    @Test("and answered with the trailers, without what came before the head")
    func trailers() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send(
                    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                )
                server.send("2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n")
                let answer = try await client.wait(for: "X-Sum: 7\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(answer.contains("\r\nTrailer: X-Sum\r\n"))
                #expect(answer.hasSuffix("2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"))
            }
        }
    }

    @Test("and answered with a redirect or a compressed body as it is")
    func untouched() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
                let server = try await upstream.request()
                let answer = "Location: http://127.0.0.1:1/\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n"
                server.send("HTTP/1.1 302 Found\r\n\(answer)\r\nno gzip")
                #expect(try await client.wait(for: "no gzip").hasPrefix("HTTP/1.1 302 Found\r\n\(answer)"))
            }
        }
    }

    @Test("and an answer without a body has none", arguments: ["Content-Length: 5", "Transfer-Encoding: chunked", "X-Other: 1"])
    func bodiless(field: String) async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\n\(field)\r\n\r\n")
                let head = try await client.wait(for: "\r\n\r\n")
                #expect(head.contains("Content-Length: 5\r\n") == (field == "Content-Length: 5"))
                #expect(!head.contains("Content-Length: 0\r\n"))
                client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
                let next = field == "Content-Length: 5" ? server : try await peer(of: upstream, after: server)
                try await next.wait(for: "GET /2")
                next.send("HTTP/1.1 304 Not Modified\r\n\(field)\r\nETag: \"a\"\r\n\r\n")
                try await client.wait(for: "ETag: \"a\"\r\n")
                client.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
                try await next.wait(for: "GET /3")
                next.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                try await client.wait(for: "\r\n\r\nok")
                // Nothing stands between the heads: the client would read it as the next answer.
                let rest = client.text.dropFirst(head.count)
                #expect(rest.hasPrefix("HTTP/1.1 304 Not Modified\r\n"), "\(client.text)")
                #expect(rest.contains("\r\n\r\nHTTP/1.1 200 OK\r\n"), "\(client.text)")
            }
        }
    }

    /// The connection for the next request; a `HEAD` without a length may have ended the first one.
    private func peer(of upstream: RawServer, after first: Peer) async throws -> Peer {
        first.isEnded ? try await upstream.accept() : first
    }
}
