import Headgate
import NIOCore
import Testing

@testable import HeadgateRedis

@Suite("Bytes on the wire")
struct WireTests {
    @Test("Arguments are framed by length, whatever they hold")
    func frames() throws {
        var arguments = CommandArguments(["SET", "", "a\r\nb", "é\0"])
        arguments.append(Int64.min)
        arguments.append(0)
        arguments.append(Int64.max)
        #expect(
            String(decoding: try arguments.framed(), as: UTF8.self)
                == "*7\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\na\r\nb\r\n$3\r\né\0\r\n$20\r\n-9223372036854775808\r\n$1\r\n0\r\n$19\r\n9223372036854775807\r\n"
        )
        #expect(throws: LimiterError.self) { try CommandArguments().framed() }
        #expect(throws: LimiterError.self) { try CommandArguments([String(repeating: "x", count: 17 << 20)]).framed() }
        #expect(String(decoding: try CommandArguments([""]).framed(), as: UTF8.self) == "*1\r\n$0\r\n\r\n")
    }

    @Test("Replies are the same in whatever pieces they come")
    func replies() throws {
        let text =
            "+OK\r\n:-7\r\n$-1\r\n*-1\r\n$4\r\na\r\nb\r\n*0\r\n*2\r\n:1\r\n:2\r\n"
            + "*3\r\n:1\r\n$1\r\nx\r\n*2\r\n-ERR y\r\n$-1\r\n-OOM z\r\n"
        let expected: [RedisReply] = [
            .value(.bytes(Array("OK".utf8))), .value(.integer(-7)), .value(.null), .value(.null), .value(.bytes(Array("a\r\nb".utf8))),
            .value(.array([])), .integers([1, 2]),
            .value(
                .array([
                    .integer(1), .bytes([0x78]), .array([.failure(RedisFault(.other, text: "ERR y", isInsideScript: true)), .null]),
                ])
            ),
            .fault(RedisFault(.outOfMemory, text: "OOM z")),
        ]
        for cut in 0...text.utf8.count {
            var reader = ReplyReader()
            var replies: [RedisReply] = []
            for part in [text.utf8.prefix(cut), text.utf8.dropFirst(cut)] {
                var bytes = ByteBuffer(bytes: part)
                while let reply = try reader.next(from: &bytes) { replies.append(reply) }
                #expect(bytes.readableBytes == 0)
            }
            #expect(replies == expected)
        }
    }

    @Test("A large reply and many small ones pass through small chunks")
    func large() throws {
        let big = String(repeating: "y", count: 700_000)
        var bytes = ByteBuffer(string: "$\(big.utf8.count)\r\n\(big)\r\n" + String(repeating: "*2\r\n:1\r\n:2\r\n", count: 5_000))
        var reader = ReplyReader()
        guard case .value(let value) = try reader.next(from: &bytes) else {
            Issue.record("no value")
            return
        }
        #expect(value.text == big)
        for _ in 0..<5_000 {
            let reply = try reader.next(from: &bytes)
            #expect(reply == .integers([1, 2]))
        }
        let none = try reader.next(from: &bytes)
        #expect(none == nil)
    }

    @Test("A decision is framed as the script's protocol says")
    func decision() throws {
        let script = try RedisScript("return 1")
        let context = ScriptContext(script: script, keys: try KeySpace(prefix: "hg"), nonce: 77)
        let identity = try Identity(.account, "acme")
        let log = Charge(try Limit("l", .slidingWindowLog(5, per: .seconds(1))), identity: identity, cost: 2, reserve: 1)
        let bucket = Charge(
            try Limit("b", .tokenBucket(10, per: .seconds(1), burst: 30), mode: .shadow),
            identity: identity,
            effect: .observe
        )
        let call = try ScriptCall.decide([StoreDecision(charges: [log, bucket], count: 3, leaseID: "id")], context)
        let parts = String(decoding: call.frame, as: UTF8.self).split(separator: "\r\n").filter { !$0.hasPrefix("$") && !$0.hasPrefix("*") }
        #expect(
            parts.map(String.init) == [
                "EVALSHA", script.digest, "2", "hg:{a:acme}:l:log1", "hg:{a:acme}:b:tb1", "77", "decide", "1", "3", "id", "2",
                "1", "0", "2", "1", "5", "1000000", "1", "2", "3", "1", "0", "30", "100000", "1", "1", "1", "1",
            ]
        )
        #expect(call.replyCount == 2 + 1 + 12)
    }

    @Test("Numbers that the script cannot hold are refused before anything is sent")
    func refusedNumbers() throws {
        let context = ScriptContext(script: try RedisScript("return 1"), keys: try KeySpace(prefix: "hg"), nonce: 1)
        let limit = try Limit("l", .fixedWindow(5, per: .seconds(1)))
        let identity = try Identity(.account, "acme")
        for (cost, reserve, count) in [(0, 0, 1), (-1, 0, 1), (1, -1, 1), (1, 0, 0), (1 << 53, 0, 1), (1, 1 << 53, 1), (1, 0, 1 << 53)] {
            let charge = Charge(limit, identity: identity, cost: Int64(cost), reserve: Int64(reserve))
            #expect(throws: LimiterError.self) {
                try ScriptCall.decide([StoreDecision(charges: [charge], count: Int64(count))], context)
            }
        }
        #expect(ScriptCall.largestNumber == 9_007_199_254_740_991)
    }
}
