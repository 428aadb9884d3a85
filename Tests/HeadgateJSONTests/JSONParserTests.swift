import Headgate
import Testing

@testable import HeadgateJSON

@Suite("Reading JSON")
struct JSONParserTests {
    @Test(
        "takes every form of a value",
        arguments: [
            ("null", JSONValue.null), (" true ", .boolean(true)), ("false", .boolean(false)), ("0", .integer(0)), ("-12", .integer(-12)),
            ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number("9223372036854775808")), ("1.5", .number("1.5")),
            ("1e3", .number("1e3")), (#""a\"\\\/\b\f\n\r\té""#, .string("a\"\\/\u{8}\u{C}\n\r\té")), (#""é😀""#, .string("é😀")),
            (#""\u00e9\ud83d\ude00\u0000""#, .string("é😀\0")), ("[]", .array([])),
            ("[1,[2]]", .array([.integer(1), .array([.integer(2)])])),
            ("{}", .object([])),
            (#"{ "a" : 1 , "b" : null }"#, .object([.init(name: "a", value: .integer(1)), .init(name: "b", value: .null)])),
        ]
    )
    func values(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(
        "refuses what is no JSON, and says where",
        arguments: [
            "", " ", "{", "}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "+1", "-", "1.",
            ".5",
            "1e", "nul", "True", "\"", "\"\n\"", "\"\\x\"", "\"\\u12\"", #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, "1 2", "NaN",
            "'a'",
            String(repeating: "[", count: 33), String(repeating: "[", count: 100_000),
        ]
    )
    func malformed(text: String) {
        let error = #expect(throws: LimiterError.self) { try JSONParser.parse(Array(text.utf8)) }
        #expect(error?.code == .badRequest)
    }

    @Test(
        "takes a number for whole however it is written, when it is",
        arguments: [
            ("3", 3), ("3.0", 3), ("-30.00", -30), ("3e2", 300), ("3E+2", 300), ("1.5e1", 15), ("30e-1", 3), ("0.0", 0), ("0e-9", 0),
            ("-0", 0),
            ("9223372036854775807", Int64.max), ("-9223372036854775808.0", .min), ("1e18", 1_000_000_000_000_000_000),
            ("1.5", nil), ("3e-1", nil), ("9223372036854775808", nil), ("1e19", nil), ("1e100000", nil), ("1e99999999999999999999", nil),
            ("1e-9223372036854775808", nil), ("\"3\"", nil), ("null", nil),
        ]
    )
    func wholeNumbers(text: String, number: Int64?) throws {
        #expect(try JSONParser.parse(Array(text.utf8)).wholeNumber == number)
    }

    @Test("takes 32 levels of nesting")
    func nesting() throws {
        _ = try JSONParser.parse(Array((String(repeating: "[", count: 32) + String(repeating: "]", count: 32)).utf8))
    }

    @Test("refuses bytes that are no UTF-8", arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: LimiterError.self) { try JSONParser.parse(bytes) }
    }

    @Test("never crashes, whatever a valid body is cut or changed to")
    func mutations() throws {
        let body = Array(#"{"requests":[{"subject":{"account":"a\u00e91","tier":null},"cost":-1.5e3,"peek":true}]}"#.utf8)
        for length in body.indices { _ = try? JSONParser.parse(Array(body[..<length])) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var changed = body
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                changed[Int.random(in: changed.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? JSONFields(JSONParser.parse(changed), at: "")
        }
    }

    @Test("What was written is read back")
    func roundTrip() throws {
        let value: JSONValue = ["a": .integer(-1), "b\"\n\u{1}": ["é", nil, .boolean(false)], "c": .object([])]
        #expect(try JSONParser.parse(value.bytes) == value)
        #expect(String(decoding: value.bytes, as: UTF8.self) == #"{"a":-1,"b\"\n\u0001":["é",null,false],"c":{}}"#)
    }
}
