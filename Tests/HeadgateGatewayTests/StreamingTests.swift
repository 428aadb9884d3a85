import HeadgateGateway
import NIOCore
import TestSupport
import Testing

@Suite("A body streams through", .serialized, .exclusive)
struct StreamingTests {
    private let size = 200 << 20

    @Test("part by part, in both directions at once")
    func parts() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                let server = try await upstream.request()
                #expect(server.text.lowercased().contains("\r\ntransfer-encoding: chunked\r\n"))
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
                server.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try await expectStandstill(of: server)
                client.close()
                try await server.waitForEnd(within: .seconds(1))
            }
        }
    }

    @Test("as fast as its reader reads: an upstream that takes nothing stops the client")
    func slowUpstream() async throws {
        try await RawServer.run { upstream in
            var target = try Upstream.local(upstream.port)
            target.responseTimeout = .seconds(2)
            try await Gateway.run(to: target) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
                let server = try await upstream.request()
                try await server.stopReading()
                try await expectStandstill(of: client)
                try await client.wait(for: "HTTP/1.1 504 Gateway Timeout\r\n")
            }
        }
    }

    /// Lets one side write as much as it can: that is what the kernel's buffers take, and next to nothing in this process.
    private func expectStandstill(of peer: Peer) async throws {
        let before = residentBytes()
        peer.pour(size)
        var poured = -1
        while poured != peer.poured {
            poured = peer.poured
            try await Task.sleep(for: .milliseconds(300))
        }
        #expect((1..<size).contains(poured), "\(poured) bytes")
        let growth = residentBytes() - before
        #expect(growth < 16 << 20, "\(growth >> 20) MB")
    }

    @Test("in flat memory: 200 MB each way")
    func memory() async throws {
        try await RawServer.run(keepsText: false) { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect(keepsText: false)
                let before = residentBytes()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
                let server = try await upstream.accept()
                server.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                for peer in [client, server] { peer.pour(size) }
                var most = before
                try await wait(within: .seconds(60)) {
                    most = max(most, residentBytes())
                    return client.count >= size && server.count >= size
                }
                #expect(most - before < 16 << 20, "\((most - before) >> 20) MB")
            }
        }
    }
}
