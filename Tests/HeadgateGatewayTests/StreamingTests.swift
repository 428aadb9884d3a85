import HeadgateGateway
import NIOCore
import TestSupport
import Testing

@Suite("A body streams through", .serialized, .exclusive)
struct StreamingTests {
    @Test("part by part, in both directions at once")
    func parts() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                let server = try await upstream.request()
                #expect(server.text.contains("\r\nTransfer-Encoding: chunked\r\n"))
                server.send("HTTP/1.1 200 OK\r\n\r\n")
                for part in ["one", "two", "six"] {
                    client.send("3\r\n\(part)\r\n")
                    try await server.wait(for: "3\r\n\(part)\r\n")
                    server.send("<\(part)>")
                    try await client.wait(for: "5\r\n<\(part)>\r\n")
                }
                client.send("0\r\n\r\n")
                try await server.wait(for: "six\r\n0\r\n\r\n")
                #expect(!client.text.contains("0\r\n\r\n"))
                server.close()
                try await client.wait(for: "0\r\n\r\n")
            }
        }
    }

    @Test("as fast as its reader reads: a client that takes nothing stops the upstream")
    func slowClient() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect(keepsText: false)
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let server = try await upstream.request()
                try await client.stopReading()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: \(200 << 20)\r\n\r\n")
                let sent = await sentWithin(.seconds(1), by: server)
                #expect(sent < 32 << 20, "\(sent) bytes")
                client.close()
                try await server.waitForEnd(within: .seconds(1))
            }
        }
    }

    @Test("as fast as its reader reads: an upstream that takes nothing stops the client")
    func slowUpstream() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(200 << 20)\r\n\r\n")
                let server = try await upstream.request()
                try await server.stopReading()
                let sent = await sentWithin(.seconds(1), by: client)
                #expect(sent < 32 << 20, "\(sent) bytes")
                // The client's end is noticed although nobody reads its bytes.
                client.close()
                try await wait { gateway.log.errors == [.clientGone] }
            }
        }
    }

    @Test("in flat memory: 200 MB each way")
    func memory() async throws {
        let size = 200 << 20
        try await RawServer.run(keepsText: false) { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect(keepsText: false)
                let before = residentBytes()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
                let server = try await upstream.accept()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for peer in [client, server] { group.addTask { try await send(size, by: peer) } }
                    try await group.waitForAll()
                }
                try await client.wait(for: "the answer", within: .seconds(60)) { $0.count >= size }
                try await server.wait(for: "the request", within: .seconds(60)) { $0.count >= size }
                let growth = residentBytes() - before
                #expect(growth < 64 << 20, "\(growth >> 20) MB")
            }
        }
    }

    private func send(_ size: Int, by peer: Peer) async throws {
        let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 16)
        for _ in 0..<(size >> 16) { try await peer.flush(part) }
    }

    /// As many bytes as one side can write in a time, up to 200 MB.
    private func sentWithin(_ time: Duration, by peer: Peer) async -> Int {
        let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 16)
        let end = ContinuousClock.now + time
        var sent = 0
        while ContinuousClock.now < end, sent < 200 << 20 {
            if peer.channel.isWritable {
                peer.send(part)
                sent += 1 << 16
            } else {
                try? await Task.sleep(for: .milliseconds(5))
            }
            await Task.yield()
        }
        return sent
    }
}
