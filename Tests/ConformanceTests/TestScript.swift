import LuaScripts

@testable import HeadgateRedis

/// The shipped script with its clock replaced by the last two arguments of the call.
enum TestScript {
    static let injectedClock = "local time = { ARGV[#ARGV - 1], ARGV[#ARGV] }"

    static let source = Scripts.source.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0 == Scripts.clockLine ? injectedClock : String($0) }.joined(separator: "\n")

    static let longestText = "local LONGEST_TEXT = 2048 "

    /// How long a log's text may be before it becomes a list.
    enum Texts { case asShipped, ofThreeEntries }

    static func make(_ texts: Texts = .asShipped) throws -> RedisScript {
        try RedisScript(texts == .asShipped ? source : source.replacing(longestText, with: "local LONGEST_TEXT = 60 "))
    }

    /// A call's frame with a time added to its arguments.
    static func frame(_ frame: [UInt8], at now: Int64) -> [UInt8] {
        let lineEnd = frame.firstIndex(of: UInt8(ascii: "\r")) ?? frame.startIndex
        let count = Int(String(decoding: frame[1..<lineEnd], as: UTF8.self)) ?? 0
        var timed = Array("*\(count + 2)".utf8)
        timed += frame[lineEnd...]
        for part in [String(now / 1_000_000), String(now % 1_000_000)] { timed += "$\(part.utf8.count)\r\n\(part)\r\n".utf8 }
        return timed
    }
}
