import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HeadgateGateway

@Suite("A request that two readers could take differently")
struct RequestRulesTests {
    /// What a client sends, under a name that a report has room for.
    struct Sample: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]

        init(_ name: String, _ bytes: [UInt8]) {
            testDescription = name
            self.bytes = bytes
        }
    }

    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n"
    private static let post = "POST / HTTP/1.1\r\nHost: a\r\n"

    /// Row 72 of the reliability list, as bytes.
    ///
    /// Most of it the parser refuses by itself; a version of NIO that does not shows here.
    static let refused: [Sample] = [
        Sample("two Host", bytes("\(get)Host: b\r\n\r\n")), Sample("two equal Host", bytes("\(get)host: a\r\n\r\n")),
        Sample("no Host", bytes("GET / HTTP/1.1\r\n\r\n")),
        Sample("a Host list", bytes("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")),
        Sample("a Host with a path", bytes("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")),
        Sample("a Host with a user", bytes("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n")),
        Sample("TE and CL", bytes("\(post)Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n")),
        Sample("CL and TE", bytes("\(post)Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        Sample("two CL", bytes("\(post)Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")),
        Sample("a CL list", bytes("\(post)Content-Length: 3, 3\r\n\r\nabc")),
        Sample("a signed CL", bytes("\(post)Content-Length: +3\r\n\r\nabc")),
        Sample("an empty CL", bytes("\(post)Content-Length: \r\n\r\nabc")),
        Sample("a folded line", bytes("\(get)X: b\r\n c\r\n\r\n")), Sample("a line folded by a tab", bytes("\(get)X: b\r\n\tc\r\n\r\n")),
        Sample("NUL", bytes("\(get)X: b\u{0}c\r\n\r\n")), Sample("CR", bytes("\(get)X: b\rc\r\n\r\n")),
        Sample("LF", bytes("\(get)X: b\nY: c\r\n\r\n")),
        Sample("lines ended by LF", bytes("GET / HTTP/1.1\nHost: a\n\n")), Sample("a control character", bytes("\(get)X: b\u{1}c\r\n\r\n")),
        Sample("DEL", bytes("\(get)X: b\u{7f}c\r\n\r\n")), Sample("no UTF-8", bytes("\(get)X: ") + [0xff, 0xfe] + bytes("\r\n\r\n")),
        Sample("a truncated UTF-8 sequence", bytes("\(get)X: ") + [0xc3] + bytes("\r\n\r\n")),
        Sample("a blank before the colon", bytes("\(get)X : b\r\n\r\n")),
        Sample("a name that is no token", bytes("\(get)Xé: b\r\n\r\n")), Sample("no name", bytes("\(get): b\r\n\r\n")),
        Sample("an unknown TE", bytes("\(post)Transfer-Encoding: gzip\r\n\r\nabc")),
        Sample("TE identity", bytes("\(post)Transfer-Encoding: identity\r\n\r\nabc")),
        Sample("a TE list", bytes("\(post)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        Sample("TE in the wrong order", bytes("\(post)Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n")),
        Sample("two TE", bytes("\(post)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        Sample("a TE that looks like one", bytes("\(post)Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        Sample("TE over HTTP/1.0", bytes("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        Sample("a control character in the target", bytes("GET /a\u{1}b HTTP/1.1\r\nHost: a\r\n\r\n")),
        Sample("a blank in the target", bytes("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n")),
        Sample("a target without a slash", bytes("GET a/b HTTP/1.1\r\nHost: a\r\n\r\n")),
        Sample("HTTP/2", bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")), Sample("TLS", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
        Sample("101 fields", bytes(get + (1...100).map { "X-\($0): a\r\n" }.joined() + "\r\n")),
        Sample("17 KiB", bytes("\(get)X: \(String(repeating: "a", count: 17 << 10))\r\n\r\n")),
    ]

    static let allowed: [Sample] = [
        Sample("one Host", bytes("\(get)\r\n")), Sample("an empty Host", bytes("GET / HTTP/1.1\r\nHost:\r\n\r\n")),
        Sample("an IPv6 Host", bytes("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")),
        Sample("HTTP/1.0 without Host", bytes("GET / HTTP/1.0\r\n\r\n")), Sample("UTF-8", bytes("\(get)X: é\t€\r\n\r\n")),
        Sample("a query", bytes("GET /a?b=\"c\" HTTP/1.1\r\nHost: a\r\n\r\n")),
        Sample("chunks", bytes("\(post)transfer-encoding:\tChunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: v\r\n\r\n")),
        Sample("a length", bytes("\(post)Content-Length: 3\r\n\r\nabc")),
        Sample("another of our fields", bytes("\(get)X-A: 1\r\nx-a: 2\r\n\r\n")),
        Sample("100 fields", bytes(get + (1...99).map { "X-\($0): a\r\n" }.joined() + "\r\n")),
    ]

    @Test("is an error, and no part of it is seen", arguments: refused)
    func refusals(_ sample: Sample) throws {
        #expect(try seen(sample.bytes + Self.bytes("\(Self.get)\r\n")) == nil)
    }

    @Test("is none of these", arguments: allowed)
    func allowances(_ sample: Sample) throws {
        #expect(try seen(sample.bytes) == 1)
    }

    @Test("is an error behind one that is not")
    func pipelined() throws {
        let channel = try channel()
        #expect(throws: HTTPParserError.self) {
            try channel.writeInbound(ByteBuffer(string: "\(Self.get)\r\n\(Self.get)Host: b\r\n\r\n\(Self.get)\r\n"))
        }
        #expect(try heads(channel) == 1)
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 << 10
        limits.maxHeaderListSize = 16 << 10
        limits.maxHeaderFieldCount = 100
        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)))
        try channel.pipeline.syncOperations.addHandler(RequestRulesHandler())
        return channel
    }

    /// The number of heads that are read; nil when there was an error and no head.
    private func seen(_ bytes: [UInt8]) throws -> Int? {
        let channel = try channel()
        do {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            return try heads(channel)
        } catch {
            #expect(try heads(channel) == 0)
            return nil
        }
    }

    private func heads(_ channel: EmbeddedChannel) throws -> Int {
        var count = 0
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            if case .head = part { count += 1 }
        }
        return count
    }
}
