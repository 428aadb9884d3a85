import HeadgateGateway
import NIOCore
import TestSupport
import Testing

@Suite("A server's patience", .serialized, .exclusive)
struct PatienceTests {
    private let patience = ClientPatience(
        head: .milliseconds(300),
        body: .milliseconds(300),
        idle: .milliseconds(600),
        linger: .milliseconds(200)
    )

    @Test("ends with a head that drips in, a body that stops, and a connection that is not used")
    func slow() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port), patience: patience) { gateway in
                let (head, body, idle) = (try await gateway.connect(), try await gateway.connect(), try await gateway.connect())
                idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 204 No Content\r\n\r\n")
                try await idle.wait(for: "HTTP/1.1 204 No Content\r\n")
                body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
                for letter in "GET / HTTP/1.1" where !head.isEnded {
                    head.send("\(letter)")
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(try await head.waitForEnd(within: .seconds(1)).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
                #expect(try await body.waitForEnd(within: .seconds(1)).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
                #expect(try await idle.waitForEnd(within: .seconds(1)).hasPrefix("HTTP/1.1 204 No Content\r\n"))
                #expect(gateway.log.errors == [.clientGone])
                // Whoever does not close its side is cut off.
                try await wait(within: .seconds(2)) { !head.channel.isActive || head.isEnded }
            }
        }
    }

    @Test("does not end with a slow upstream, and with a client that takes nothing of its answer it does")
    func upstreamsTime() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port), patience: patience) { gateway in
                let client = try await gateway.connect(keepsText: false)
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                try await Task.sleep(for: .milliseconds(1_000))
                #expect(!client.isEnded)
                try await client.stopReading()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: \(200 << 20)\r\n\r\n")
                server.pour(200 << 20)
                try await server.waitForEnd(within: .seconds(5))
            }
        }
    }

    /// Requests that break the rules, by what is wrong with them.
    private static let outlaws: [String: String] = [
        "two Host": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "no Host": "GET / HTTP/1.1\r\n\r\n",
        "an unknown TE": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "101 fields": "GET / HTTP/1.1\r\nHost: a\r\n" + (0..<100).map { "X-\($0): a\r\n" }.joined() + "\r\n",
        "1 MB": "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 1 << 20))\r\n\r\n",
        "no HTTP": "nonsense\r\n\r\n",
    ]

    @Test("has no room for a request that breaks the rules: it is answered 400, and nothing is passed on", arguments: outlaws.keys.sorted())
    func rules(wrong: String) async throws {
        let request = try #require(Self.outlaws[wrong])
        try await Gateway.run(to: .local(1), patience: patience) { gateway in
            let client = try await gateway.connect()
            client.send(request)
            client.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try await client.waitForEnd(within: .seconds(1))
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
            #expect(gateway.log.errors.isEmpty)
        }
    }

    @Test("has a refusal reach a client that reads nothing before it has sent everything")
    func deafClient() async throws {
        try await Gateway.run(to: .local(1), patience: ClientPatience()) { gateway in
            let client = try await gateway.connect()
            try await client.stopReading()
            client.send("nonsense\r\n\r\n")
            client.pour(64 << 20)
            try await wait(within: .seconds(5)) { client.poured == 64 << 20 }
            client.goOn()
            try await client.wait(for: "HTTP/1.1 400 Bad Request\r\n", within: .seconds(1))
            #expect(!client.isReset)
        }
    }

    @Test("lets a slow client have its answer to the end when the server shuts down")
    func shutdown() async throws {
        try await RawServer.run { upstream in
            let client = try await Gateway.run(to: .local(upstream.port), patience: ClientPatience()) { gateway in
                let client = try await gateway.connect(keepsText: false)
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                try await client.stopReading()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: \(100 << 20)\r\n\r\n")
                server.pour(100 << 20)
                // The client goes on while the server is on its way out.
                client.channel.eventLoop.scheduleTask(in: .milliseconds(500)) { client.goOn() }
                return client
            }
            try await client.waitForEnd()
            #expect(client.count > 100 << 20)
        }
    }
}
