import HTTPTypes
import HeadgateGateway
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing

@Suite("An answer before its request has ended", .serialized, .exclusive)
struct EarlyAnswerTests {
    @Test(
        "as a refusal reaches the client whole, and ends the connection",
        arguments: ["Content-Length: 300000", "Transfer-Encoding: chunked"]
    )
    func refusal(field: String) async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n2\r\nok\r\n")
                let server = try await upstream.request()
                try await server.wait(for: "ok")
                server.send("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 8\r\n\r\ntoo much")
                let answer = try await client.waitForEnd(within: .seconds(1))
                #expect(answer.hasPrefix("HTTP/1.1 413 "))
                #expect(answer.hasSuffix("\r\n\r\ntoo much"))
                try await server.waitForEnd(within: .seconds(1))
            }
        }
    }

    @Test("as a refusal reaches a client that reads nothing before it has sent everything")
    func deafClient() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port), patience: ClientPatience()) { gateway in
                let client = try await gateway.connect()
                let size = 64 << 20
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
                let server = try await upstream.request()
                try await client.stopReading()
                server.send("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 8\r\n\r\ntoo much")
                client.pour(size)
                try await wait(within: .seconds(5)) { client.poured == size }
                client.goOn()
                try await client.wait(for: "\r\n\r\ntoo much", within: .seconds(1))
                #expect(!client.isReset)
            }
        }
    }

    @Test("as an acceptance leaves the rest of the request on its way")
    func acceptance() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
                let server = try await upstream.request()
                server.send("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok")
                try await client.wait(for: "\r\n\r\nok")
                client.send("3\r\ntwo\r\n")
                try await server.wait(for: "3\r\ntwo\r\n")
                client.send("0\r\n\r\n")
                try await server.wait(for: "3\r\ntwo\r\n0\r\n\r\n")
            }
        }
    }

    @Test("leaves nobody reading the body", arguments: [200, 413])
    func released(status: Int) async throws {
        try await RawServer.run { upstream in
            let proxy = ReverseProxy(to: try .local(upstream.port), logger: Logger(label: "test"))
            let body = EndlessBody()
            let head = HTTPRequest(method: .post, scheme: "http", authority: "a", path: "/", headerFields: [.transferEncoding: "chunked"])
            let client = ClientConnection(NIOAsyncTestingChannel())
            async let response = proxy.forward(Request(head: head, body: RequestBody(asyncSequence: body)), from: client)
            let server = try await upstream.request()
            // Until the connection takes no more, so that the next part waits for it.
            try await server.stopReading()
            try await Task.sleep(for: .milliseconds(300))
            server.send("HTTP/1.1 \(status) Whatever\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            let writer = CollectingWriter()
            let answer = try await response
            async let written: Void = answer.body.write(writer)
            try await wait { writer.text == "ok" }
            server.close()
            try await written
            try await wait { body.isReleased }
        }
    }
}

/// A body without an end, which tells when nobody holds its iterator any more.
private final class EndlessBody: AsyncSequence, Sendable {
    private let released = Atomic(false)

    var isReleased: Bool { released.load(ordering: .relaxed) }

    func makeAsyncIterator() -> Iterator { Iterator(self) }

    final class Iterator: AsyncIteratorProtocol {
        private let body: EndlessBody
        private let part = ByteBuffer(repeating: 0, count: 1 << 16)

        init(_ body: EndlessBody) { self.body = body }

        deinit { body.released.store(true, ordering: .relaxed) }

        func next() async -> ByteBuffer? { part }
    }
}

private final class CollectingWriter: ResponseBodyWriter, Sendable {
    private let parts = Mutex("")
    var text: String { parts.withLock { $0 } }
    func write(_ buffer: ByteBuffer) async throws { parts.withLock { $0 += String(buffer: buffer) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
