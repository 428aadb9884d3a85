import HeadgateGateway
import NIOCore
import TestSupport
import Testing

@Suite("A client that hangs up ends its request at the upstream", .serialized, .exclusive)
struct HangUpTests {
    @Test("while it waits for the head")
    func waiting() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                client.close()
                try await server.waitForEnd(within: .seconds(1))
                try await wait { gateway.log.errors == [.clientGone] }
            }
        }
    }

    @Test(
        "in the middle of the answer, when the upstream is silent as well",
        arguments: ["Content-Length: 100", "Transfer-Encoding: chunked"]
    )
    func streaming(field: String) async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\n\(field)\r\n\r\n2\r\nok\r\n")
                try await client.wait(for: "ok")
                client.close()
                try await server.waitForEnd(within: .seconds(1))
            }
        }
    }

    @Test("in the middle of its own body, which the upstream does not take for complete")
    func uploading() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
                let server = try await upstream.request()
                try await server.wait(for: "one\r\n")
                client.close()
                let request = try await server.waitForEnd(within: .seconds(1))
                #expect(request.hasSuffix("3\r\none\r\n"), "\(request)")
            }
        }
    }

    @Test("with a body that is none: it is told so, and the upstream does not take it for complete")
    func malformed() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
                let server = try await upstream.request()
                try await server.wait(for: "one\r\n")
                client.send("zzz\r\n")
                let answer = try await client.waitForEnd(within: .seconds(1))
                #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
                #expect(gateway.log.errors == [.invalidBody])
                #expect(try await server.waitForEnd(within: .seconds(1)).hasSuffix("3\r\none\r\n"))
            }
        }
    }

    @Test("while the upstream does not take its body, and so nobody reads the connection")
    func unread() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                // As much as the kernel's buffers on the way take, and more than those behind the gateway alone do.
                let size = 5 << 20
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(2 * size)\r\n\r\n")
                let server = try await upstream.request()
                try await server.stopReading()
                client.pour(size)
                try await wait(within: .seconds(5)) { client.poured == size }
                client.close()
                try await wait { gateway.log.errors == [.clientGone] }
            }
        }
    }

    @Test("before there is a connection to the upstream")
    func connecting() async throws {
        try await RawServer.run { upstream in
            var target = try Upstream.local(upstream.port)
            target.maximumConnections = 1
            try await Gateway.run(to: target) { gateway in
                let (first, second) = (try await gateway.connect(), try await gateway.connect())
                first.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                second.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
                try await Task.sleep(for: .milliseconds(100))
                second.close()
                try await Task.sleep(for: .milliseconds(100))
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                try await first.wait(for: "ok")
                try await wait { gateway.log.errors == [.clientGone] }
                // A third client is not in the way of what is broken off.
                let third = try await gateway.connect()
                third.send("GET /third HTTP/1.1\r\nHost: a\r\n\r\n")
                let next = try await upstream.accept()
                try await next.wait(for: "GET /third")
                next.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                try await third.wait(for: "ok")
            }
        }
    }

    @Test("which one is not that closes its side behind a request that is answered without the upstream")
    func halfClosing() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                try await client.wait(for: "\r\n\r\nok")
                client.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
                client.halfClose()
                try await client.wait(for: "HTTP/1.1 501 Not Implemented\r\n", within: .seconds(1))
            }
        }
    }

    @Test("among 200 that stream, half of them cut off, within a second")
    func many() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                var pairs: [(client: Peer, server: Peer)] = []
                for number in 0..<200 {
                    let client = try await gateway.connect()
                    client.send("GET /\(number) HTTP/1.1\r\nHost: a\r\n\r\n")
                    let server = try await upstream.request()
                    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                    pairs.append((client, server))
                }
                for pair in pairs { try await pair.client.wait(for: "first") }
                let cut = pairs.indices.filter { $0 % 2 == 0 }
                for index in cut { pairs[index].client.close() }
                try await wait(within: .seconds(1)) { cut.allSatisfy { pairs[$0].server.isEnded } }
                for pair in pairs where !pair.server.isEnded { pair.server.send("4\r\nlast\r\n0\r\n\r\n") }
                for index in pairs.indices where index % 2 == 1 { try await pairs[index].client.wait(for: "last\r\n0\r\n\r\n") }
                #expect(pairs.indices.allSatisfy { pairs[$0].server.isEnded == ($0 % 2 == 0) })
            }
        }
    }
}
