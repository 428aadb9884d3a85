import Headgate
import NIOCore
import Testing

@testable import HeadgateRedis

@Suite("What an error of Redis says")
struct RedisFaultTests {
    private func fault(_ line: String) throws -> RedisFault {
        var reader = ReplyReader()
        var bytes = ByteBuffer(string: "-\(line)\r\n")
        guard case .fault(let fault) = try reader.next(from: &bytes) else { throw ReplyError(reason: "no error line") }
        return fault
    }

    @Test(
        "The retry rule, line by line",
        arguments: [
            ("NOSCRIPT No matching script. Please use EVAL.", LimiterError.Code.script, "notCharged", "loadScript"),
            ("MOVED 3999 127.0.0.1:6381", .clusterDown, "notCharged", "redirect"),
            ("ASK 3999 127.0.0.1:6381", .clusterDown, "notCharged", "redirect"),
            ("TRYAGAIN Multiple keys request during rehashing of slot", .clusterDown, "notCharged", "redirect"),
            ("CLUSTERDOWN Hash slot not served", .clusterDown, "notCharged", "redirect"),
            ("CROSSSLOT Keys in request don't hash to the same slot", .crossSlot, "notCharged", "report"),
            ("MASTERDOWN Link with MASTER is down", .masterDown, "notCharged", "leaveConnection"),
            ("LOADING Redis is loading the dataset in memory", .loading, "notCharged", "report"),
            ("READONLY You can't write against a read only replica.", .readOnly, "notCharged", "leaveConnection"),
            ("BUSY Redis is busy running a script.", .busy, "notCharged", "report"),
            ("NOAUTH Authentication required.", .authentication, "notCharged", "leaveConnection"),
            ("WRONGPASS invalid username-password pair", .authentication, "notCharged", "leaveConnection"),
            ("NOPERM this user has no permissions to run the 'evalsha' command", .permission, "notCharged", "report"),
            ("NOREPLICAS Not enough good replicas to write.", .noReplicas, "notCharged", "report"),
            ("MISCONF Redis is configured to save RDB snapshots", .misconfigured, "notCharged", "report"),
            ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory, "notCharged", "report"),
            ("ERR max number of clients reached", .maxClients, "notCharged", "leaveConnection"),
            ("ERR The user executing the script can't run this command or subcommand script: 1", .permission, "unknown", "report"),
            ("ERR Script attempted to access a non local key in a cluster node script: 1", .crossSlot, "unknown", "report"),
            ("WRONGTYPE Operation against a key holding the wrong kind of value script: 1", .script, "unknown", "report"),
            ("ERR user_script:1: headgate: no algorithm 9 script: 1, on @user_script:1.", .script, "unknown", "report"),
            ("ERR something new", .script, "unknown", "report"),
        ]
    )
    func lines(_ line: String, _ code: LimiterError.Code, _ charge: String, _ consequence: String) throws {
        let fault = try fault(line)
        #expect(fault.code == code)
        #expect("\(fault.charge)" == charge)
        #expect("\(fault.consequence)" == consequence)
        #expect(fault.scriptError.code == code)
    }

    @Test("Nothing that may have run is ever sent again")
    func retryRule() {
        for kind in RedisFault.Kind.allCases {
            let fault = RedisFault(kind, text: "")
            if fault.consequence != .report { #expect(fault.charge == .notCharged, "\(kind)") }
        }
    }

    @Test("Texts are printable and short")
    func texts() throws {
        #expect(try fault("ERR \u{1b}[0m\\\u{7f}").text == "ERR \\x1b[0m\\\\\\x7f")
        let long = try fault("ERR " + String(repeating: "\u{1}", count: 5_000)).text
        #expect(long.utf8.count <= 256)
        #expect(long.hasSuffix("..."))
    }
}
