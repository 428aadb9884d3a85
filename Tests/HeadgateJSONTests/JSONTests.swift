import Foundation
import HeadgateJSON
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
    @Test("Members keep their order, and those without a value are left out")
    func order() {
        let json = JSONValue.present([
            ("z", .integer(-1)), ("gone", nil), ("a", .array([.string("x"), .object([]), .array([])])), ("m", nil),
        ])
        #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"z":-1,"a":["x",{},[]]}"#)
    }

    @Test("Quotes, backslashes and control characters are escaped, and nothing else")
    func escapes() {
        let json = JSONValue.string("\"\\/\n\r\t\u{0}\u{8}\u{1F}\u{7F}é\u{2028}😀")
        #expect(String(decoding: json.bytes, as: UTF8.self) == #""\"\\/\n\r\t\u0000\u0008\u001f"# + "\u{7F}é\u{2028}😀\"")
    }

    @Test("Foundation reads back any text, as a name and as a value")
    func fuzz() throws {
        var random = Generator(seed: 4)
        let ranges: [ClosedRange<UInt32>] = [0...0x1F, 0x20...0x7F, 0x22...0x22, 0x5C...0x5C, 0x80...0xD7FF, 0xE000...0x10FFFF]
        for _ in 0..<3_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
                if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.unicodeScalars.append(scalar) }
            }
            // Foundation on Linux reads some 19-digit integers that end in 0 as no Int64; ours stay below 2^53.
            let number = Int64.random(in: -(1 << 53)...(1 << 53), using: &random)
            let bytes = JSONValue.present([("n", .integer(number)), ("k" + text, .array([.string(text)]))]).bytes
            let read = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
            #expect(read["n"] as? Int64 == number)
            let name = try #require(read.keys.first { $0 != "n" })
            #expect(Array(name.unicodeScalars) == Array(("k" + text).unicodeScalars))
            let value = try #require((read[name] as? [String])?.first)
            #expect(Array(value.unicodeScalars) == Array(text.unicodeScalars))
        }
    }
}
