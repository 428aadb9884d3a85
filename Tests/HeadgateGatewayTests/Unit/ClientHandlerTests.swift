import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import HeadgateGateway

@Suite("A client's connection")
struct ClientHandlerTests {
    @Test("is answered 408 and ended when no head comes, however many bytes do")
    func slowHead() throws {
        let client = try EmbeddedClient()
        for byte in "GET /" {
            try client.receive("\(byte)")
            client.advance(.milliseconds(900))
        }
        #expect(client.sent.isEmpty)
        client.advance(.milliseconds(500))
        #expect(client.sent == "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        #expect(client.isOutputClosed && client.channel.isActive)
        // What comes now is not read as a request.
        try client.receive(" HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.parts().isEmpty)
        client.advance(.seconds(2))
        #expect(!client.channel.isActive)
    }

    @Test("is answered 408 when a body stops, and whoever reads it meets an error")
    func slowBody() throws {
        let client = try EmbeddedClient()
        try client.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        client.advance(.seconds(9))
        try client.receive("d")
        client.advance(.seconds(9))
        #expect(client.sent.isEmpty)
        client.advance(.seconds(1))
        #expect(client.sent.hasPrefix("HTTP/1.1 408 "))
        #expect(throws: ClientGone.self) { try client.channel.throwIfErrorCaught() }
        // The handler's own answer comes too late.
        client.answer()
        #expect(client.sent.isEmpty)
    }

    @Test("may be slow while nobody reads its body")
    func unreadBody() throws {
        let client = try EmbeddedClient(reads: false)
        try client.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        client.advance(.seconds(600))
        #expect(client.sent.isEmpty)
        client.channel.read()
        client.advance(.seconds(10))
        #expect(client.sent.hasPrefix("HTTP/1.1 408 "))
    }

    @Test("is ended without words when nothing comes behind an answer")
    func idle() throws {
        let client = try EmbeddedClient()
        try client.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.advance(.seconds(600))
        client.answer()
        #expect(client.sent.hasPrefix("HTTP/1.1 200 OK\r\n"))
        client.advance(.seconds(59))
        #expect(!client.isOutputClosed)
        client.advance(.seconds(1))
        #expect(client.isOutputClosed && client.sent.isEmpty)
        client.advance(.seconds(2))
        #expect(!client.channel.isActive)
    }

    @Test("is ended when the parser gives up: Hummingbird's 400 is the last that is sent")
    func parserError() throws {
        let client = try EmbeddedClient()
        #expect(throws: HTTPParserError.self) { try client.receive("nonsense\r\n\r\n") }
        client.answer(.badRequest)
        #expect(client.sent.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(client.isOutputClosed)
        client.advance(.seconds(2))
        #expect(!client.channel.isActive)
    }

    @Test("is torn down some time after Hummingbird has closed its side, which waits for the client's without an end")
    func halfClosed() throws {
        let client = try EmbeddedClient()
        client.channel.close(mode: .output, promise: nil)
        #expect(client.isOutputClosed && client.channel.isActive)
        client.advance(.seconds(2))
        #expect(!client.channel.isActive)
    }

    @Test("carries answers in the form that their requests ask for, in order")
    func pipelined() throws {
        let client = try EmbeddedClient()
        try client.receive("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /3 HTTP/1.0\r\n\r\n")
        client.answer(length: nil)
        #expect(client.sent == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        client.answer(length: nil)
        #expect(client.sent == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
        #expect(!client.isOutputClosed)
        client.answer(length: nil)
        #expect(client.sent == "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n")
        #expect(client.isOutputClosed)
    }

    @Test("tells the client to send its body once, before the answer, and only one that waits")
    func expectation() throws {
        let client = try EmbeddedClient()
        for (expect, isTold) in [("100-continue", true), ("else", false)] {
            try client.receive("PUT / HTTP/1.1\r\nHost: a\r\nExpect: \(expect)\r\nContent-Length: 2\r\n\r\n")
            client.connection.continueBody()
            client.connection.continueBody()
            #expect(client.sent == (isTold ? "HTTP/1.1 100 Continue\r\n\r\n" : ""))
            try client.receive("ok")
            client.connection.continueBody()
            client.answer()
            #expect(client.sent.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test("is watched from one request to its end")
    func watching() throws {
        let client = try EmbeddedClient()
        let gone = Mutex(0)
        try client.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.connection.watch { gone.withLock { $0 += 1 } }
        client.connection.unwatch()
        client.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(gone.withLock { $0 } == 0 && client.channel.isActive)
        client.connection.watch { gone.withLock { $0 += 1 } }
        client.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(gone.withLock { $0 } == 1 && !client.channel.isActive)
    }

    @Test("tells of a client that is already gone", arguments: [true, false])
    func watchedTooLate(hasHandlers: Bool) throws {
        let channel = hasHandlers ? try EmbeddedClient().channel : EmbeddedChannel()
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        let gone = Mutex(false)
        ClientConnection(channel).watch { gone.withLock { $0 = true } }
        #expect(gone.withLock { $0 })
    }

    @Test("ends a body that nobody wants with the answer")
    func abandoned() throws {
        let client = try EmbeddedClient()
        try client.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        client.connection.abandonBody()
        try client.receive("defghi")
        #expect(try client.parts() == ["head", "body", "end"])
        client.answer()
        #expect(client.sent.contains("Connection: close\r\n"))
        #expect(client.isOutputClosed)
    }

    @Test("is closed behind an answer that is not sent yet, and at once when there is none")
    func closing() throws {
        for hasAnswer in [true, false] {
            let client = try EmbeddedClient()
            try client.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            if hasAnswer { client.answer(flushes: false) }
            client.channel.close(promise: nil)
            #expect(client.channel.isActive == hasAnswer)
            #expect(client.sent.hasPrefix("HTTP/1.1 200 OK\r\n") == hasAnswer)
            client.advance(.seconds(2))
            #expect(!client.channel.isActive)
        }
    }
}

/// A connection as Hummingbird sets it up, up to its codec, without a socket.
private struct EmbeddedClient {
    let channel = EmbeddedChannel()
    private let outlet = Outlet()
    private let reads: Bool

    var connection: ClientConnection { ClientConnection(channel) }
    var isOutputClosed: Bool { outlet.isOutputClosed }

    init(reads: Bool = true) throws {
        self.reads = reads
        try channel.pipeline.syncOperations.addHandler(outlet)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        for handler in ClientPatience().handlers() {
            if let handler = handler as? ClientHandlersInstaller { try channel.pipeline.syncOperations.addHandler(handler) }
        }
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80)).wait()
        if reads { channel.read() }
    }

    func receive(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
        if reads { channel.read() }
    }

    func advance(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

    func answer(_ status: HTTPResponseStatus = .ok, length: Int? = 0, flushes: Bool = true) {
        var head = HTTPResponseHead(version: .http1_1, status: status)
        if let length { head.headers.add(name: "Content-Length", value: "\(length)") }
        channel.pipeline.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.pipeline.write(HTTPServerResponsePart.end(nil), promise: nil)
        if flushes { channel.flush() }
    }

    /// What was sent since the last look.
    var sent: String {
        var text = ""
        while let part = try? channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
        return text
    }

    func parts() throws -> [String] {
        var names: [String] = []
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head: names.append("head")
            case .body: names.append("body")
            case .end: names.append("end")
            }
        }
        return names
    }
}

/// Takes half-closures, which an embedded channel does not know.
private final class Outlet: ChannelOutboundHandler {
    typealias OutboundIn = Any

    private(set) var isOutputClosed = false

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        isOutputClosed = true
        promise?.succeed()
    }
}
