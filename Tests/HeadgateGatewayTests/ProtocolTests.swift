import HeadgateGateway
import TestSupport
import Testing

@Suite("What a client asks of the connection", .serialized, .exclusive)
struct ProtocolTests {
    @Test("to be told to send its body: it is, once the upstream is there")
    func expectation() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
                let server = try await upstream.request()
                try await client.wait(for: "HTTP/1.1 100 Continue\r\n\r\n")
                #expect(!server.text.lowercased().contains("expect"))
                client.send("hello")
                try await server.wait(for: "hello")
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                let answer = try await client.wait(for: "\r\n\r\nok")
                #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
            }
        }
    }

    @Test(
        "another protocol or a tunnel: it is refused, and the connection ends",
        arguments: [
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
        ]
    )
    func upgrade(request: String) async throws {
        try await Gateway.run(to: .local(1)) { gateway in
            let client = try await gateway.connect()
            client.send(request)
            client.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try await client.waitForEnd()
            #expect(answer.hasPrefix("HTTP/1.1 501 Not Implemented\r\n"))
            #expect(answer.lowercased().contains("connection: close\r\n"))
            #expect(gateway.log.errors == [.upgrade])
        }
    }

    @Test("HTTP/2, if there was any: there is none, and the request is answered all the same")
    func offer() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send(
                    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n"
                )
                let server = try await upstream.request()
                #expect(!server.text.lowercased().contains("upgrade") && !server.text.contains("AAM"))
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                #expect(try await client.waitForEnd().hasSuffix("\r\n\r\nok"))
            }
        }
    }

    @Test("an answer over HTTP/1.0: without chunks, and its end is the connection's")
    func old() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.0\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
                let answer = try await client.waitForEnd()
                #expect(answer.hasPrefix("HTTP/1.0 200 OK\r\n"))
                #expect(answer.hasSuffix("\r\n\r\nok"))
                #expect(!answer.lowercased().contains("transfer-encoding"))
            }
        }
    }

    @Test("to be closed: it is, in whatever case that is written", arguments: ["close", "Close", "keep-alive, CLOSE"])
    func closing(option: String) async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(option)\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                let answer = try await client.waitForEnd(within: .seconds(1))
                #expect(answer.hasSuffix("\r\n\r\nok"))
            }
        }
    }
}
