import HTTPTypes
import HeadgateGateway
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("An upstream that fails", .serialized, .exclusive)
struct FailureTests {
    @Test(
        "before it answers is a 502 that says so",
        arguments: ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 101 Switching\r\n\r\n"]
    )
    func beforeTheHead(answer: String) async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                if !answer.isEmpty { server.send(answer) }
                server.close()
                try await client.wait(for: "HTTP/1.1 502 Bad Gateway\r\n")
                #expect(gateway.log.errors == [answer.isEmpty ? .reset : .invalidAnswer])
            }
        }
    }

    @Test(
        "by not being there is a 502 at once",
        arguments: [
            ("http://127.0.0.1:1", GatewayError.Code.unreachable), ("http://nowhere.invalid:80", .unknownHost),
        ]
    )
    func unreachable(url: String, code: GatewayError.Code) async throws {
        try await Gateway.run(to: try Upstream(url)) { gateway in
            let client = try await gateway.connect()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            let answer = try await client.wait(for: "\(code)", within: .seconds(2))
            #expect(answer.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
            #expect(gateway.log.errors == [code])
            // The body was never asked for; the connection goes on.
            client.send("helloGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await wait(within: .seconds(2)) { gateway.log.errors.count == 2 }
        }
    }

    @Test("by not speaking TLS is a 502")
    func tls() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: try Upstream("https://127.0.0.1:\(upstream.port)")) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.accept()
                server.send("HTTP/1.1 400 Bad Request\r\n\r\n")
                try await client.wait(for: "HTTP/1.1 502 Bad Gateway\r\n")
                #expect(gateway.log.errors == [.tls])
            }
        }
    }

    @Test("by saying nothing is a 504, counted from the request's end")
    func silent() async throws {
        try await RawServer.run { upstream in
            var target = try Upstream.local(upstream.port)
            target.responseTimeout = .milliseconds(300)
            try await Gateway.run(to: target) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
                let server = try await upstream.request()
                for letter in "hell" {
                    try await Task.sleep(for: .milliseconds(150))
                    client.send("\(letter)")
                }
                try await server.wait(for: "hell")
                #expect(client.text.isEmpty)
                client.send("o")
                try await client.wait(for: "HTTP/1.1 504 Gateway Timeout\r\n", within: .seconds(2))
                #expect(gateway.log.errors == [.timeout])
                try await server.waitForEnd(within: .seconds(1))
            }
        }
    }

    @Test("by not accepting the connection is a 504")
    func unaccepted() async throws {
        // A listener that accepts nothing, and whose queue is full.
        let listener = try await ServerBootstrap(group: Peer.group)
            .serverChannelOption(.backlog, value: 0)
            .serverChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let port = try #require(listener.localAddress?.port)
        var fillers: [EventLoopFuture<any Channel>] = []
        for _ in 0..<4 { fillers.append(ClientBootstrap(group: Peer.group).connect(host: "127.0.0.1", port: port)) }
        try await Task.sleep(for: .milliseconds(200))
        var target = try Upstream.local(port)
        target.connectTimeout = .milliseconds(300)
        try await Gateway.run(to: target) { gateway in
            let client = try await gateway.connect()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.wait(for: "HTTP/1.1 504 Gateway Timeout\r\n", within: .seconds(2))
            #expect(gateway.log.errors == [.timeout])
        }
        try await listener.close().get()
    }

    @Test("by having no free connection is a 504")
    func busy() async throws {
        try await RawServer.run { upstream in
            var target = try Upstream.local(upstream.port)
            target.maximumConnections = 1
            target.connectTimeout = .milliseconds(300)
            try await Gateway.run(to: target) { gateway in
                let (first, second) = (try await gateway.connect(), try await gateway.connect())
                first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try await upstream.request()
                second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                try await second.wait(for: "HTTP/1.1 504 Gateway Timeout\r\n", within: .seconds(2))
                #expect(gateway.log.errors == [.busy])
                first.close()
            }
        }
    }

    @Test("in the middle of its answer breaks the client's connection", arguments: ["Content-Length: 100", "Transfer-Encoding: chunked"])
    func midway(field: String) async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\n\(field)\r\n\r\n2\r\nok\r\n")
                try await client.wait(for: "ok")
                server.close()
                let answer = try await client.waitForEnd(within: .seconds(1))
                #expect(!answer.contains("\r\n0\r\n"), "\(answer)")
            }
        }
    }

    @Test("in the middle of an answer over HTTP/1.0 resets the connection, whose end would be the answer's")
    func midwayOld() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.0\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\nContent-Type: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
                try await client.wait(for: "\r\n\r\nok")
                server.close()
                try await client.waitForEnd(within: .seconds(1))
                #expect(client.isReset)
            }
        }
    }

    @Test("by stopping in the middle of its answer breaks the client's connection")
    func stalled() async throws {
        try await RawServer.run { upstream in
            var target = try Upstream.local(upstream.port)
            target.idleTimeout = .milliseconds(300)
            try await Gateway.run(to: target) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<4 {
                    server.send("2\r\nok\r\n")
                    try await Task.sleep(for: .milliseconds(150))
                }
                #expect(!client.isEnded)
                let answer = try await client.waitForEnd(within: .seconds(2))
                #expect(!answer.contains("\r\n0\r\n"))
                try await server.waitForEnd(within: .seconds(1))
            }
        }
    }

    @Test("tells a client nothing of where it is")
    func words() {
        for code: GatewayError.Code in [
            .unreachable, .unknownHost, .tls, .reset, .invalidAnswer, .unhealthy, .timeout, .busy, .upgrade, .invalidTarget, .invalidBody,
            .clientGone,
            .closed,
        ] {
            let error = GatewayError(code, cause: Secret())
            #expect(!"\(error.message)\(error)".contains("10.0.0.1"))
            #expect(error.status.code >= 400)
        }
    }

    private struct Secret: Error, CustomStringConvertible {
        let description = "connect to 10.0.0.1:80 failed"
    }
}

@Suite("A connection that the upstream closes while it is unused", .serialized, .exclusive)
struct StaleConnectionTests {
    @Test("costs a GET nothing but the way")
    func repeated() async throws {
        try await withStaleConnection("GET / HTTP/1.1\r\nHost: a\r\n\r\n") { client, upstream, _ in
            let server = try await upstream.request()
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew")
            try await client.wait(for: "new")
        }
    }

    @Test("is a 502 for what must not be sent twice", arguments: ["POST", "PUT"])
    func notRepeated(method: String) async throws {
        try await withStaleConnection("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") { client, _, gateway in
            try await client.wait(for: "HTTP/1.1 502 Bad Gateway\r\n")
            #expect(gateway.log.errors == [.reset])
        }
    }

    /// Closes the connection when the second request on it has come.
    private func withStaleConnection(
        _ request: String,
        _ body: @escaping @Sendable (Peer, RawServer, Gateway) async throws -> Void
    ) async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                try await client.wait(for: "ok")
                client.send(request)
                try await server.wait(for: String(request.prefix { $0 != "\r\n" }))
                server.close()
                try await body(client, upstream, gateway)
            }
        }
    }
}
