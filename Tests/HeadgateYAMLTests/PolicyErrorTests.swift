import Foundation
import HeadgatePolicy
import HeadgateYAML
import Testing

@Suite("Policy files that are refused")
struct PolicyErrorTests {
    private func errors(_ yaml: String) -> [String] {
        do {
            _ = try Policy(yaml: yaml, file: "p.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    /// One error each: a text appended to, or in place of a line of, the minimal policy.
    static let cases: [(yaml: String, error: String)] = [
        (Text.minimal + "nmae: x", "p.yaml:4:1: nmae: unknown field; expected one of 'name',"),
        (Text.minimal + "nmae: x", "found 'nmae' (did you mean 'name'?)"),
        (Text.minimal + "name: x", "p.yaml:4:1: name: expected each key once, found 'name' again, first in line 1"),
        (Text.minimal + "\"name\": x", "p.yaml:4:1: name: expected each key once"),
        (
            Text.minimal + "on_redis_failure: opn",
            "p.yaml:4:19: on_redis_failure: expected one of 'open', 'local', 'closed', found 'opn' (did you mean 'open'?)"
        ),
        (Text.minimal + "algorithm: leaky", "p.yaml:4:12: algorithm: expected one of 'sliding_window_log',"),
        (Text.minimal + "algorithm: concurrency", "p.yaml:4:1: algorithm: expected a way to count units"),
        (Text.minimal + "case_sensitive: yes", "p.yaml:4:17: case_sensitive: expected true or false, found 'yes'"),
        (Text.minimal + "case_sensitive: \"true\"", "p.yaml:4:17: case_sensitive: expected true or false"),
        (Text.minimal + "base_path: [x]", "p.yaml:4:12: base_path: expected a text, found a list"),
        (Text.minimal + "base_path: v2", "p.yaml:4:1: base_path: expected a path such as /v2: a path begins with '/' (at byte 1)"),
        (Text.minimal + "base_path:", "p.yaml:4:11: base_path: expected a text, found nothing"),
        (Text.minimal + "default_tier: tow", "p.yaml:4:1: default_tier: expected one of the tiers 'one', found 'tow'"),
        (
            Text.minimal + "responses: { headers: x-ratelimit }",
            "p.yaml:4:23: responses.headers: expected a list such as [a, b], found 'x-ratelimit'"
        ),
        (Text.minimal + "responses: { headers: [x-rate] }", "p.yaml:4:24: responses.headers[0]: expected one of 'x-ratelimit', 'ietf'"),
        (Text.minimal + "responses: { error_body: flta }", "p.yaml:4:26: responses.error_body: expected one of"),
        (Text.minimal + "endpoints: {}", "p.yaml:4:12: endpoints: expected a list such as [a, b], found a mapping"),
        (Text.minimal + "endpoints: [5]", "p.yaml:4:13: endpoints[0]: expected a mapping such as 'key: value', found '5'"),
        (
            Text.minimal + "endpoints: [{ match: GET /x }]",
            "p.yaml:4:13: endpoints[0]: expected a 'limit', a 'cost' or a 'refund_on', found none of them"
        ),
        (Text.minimal + "endpoints: [{ limit: 1/hour }]", "p.yaml:4:13: endpoints[0]: expected a 'match', found none"),
        (Text.minimal + "endpoints: [{ match: GET /x, cost: 0 }]", "p.yaml:4:30: endpoints[0].cost: expected a cost of 1 to"),
        (
            Text.minimal + "endpoints: [{ match: GET /x, cost: { header: X-C, default: 5, max: 2 } }]",
            "endpoints[0].cost.max: expected at least the default of 5, found 2"
        ),
        (Text.minimal + "endpoints: [{ match: GET /x, cost: { default: 5 } }]", "endpoints[0].cost: expected a 'header', found none"),
        (
            Text.minimal + "endpoints: [{ match: GET /x, cost: 2, per: key }]",
            "endpoints[0].per: expected no 'per' without a 'limit', found 'key'"
        ),
        (Text.minimal + "refund_on: [304, 6xx]", "p.yaml:4:18: refund_on[1]: expected a status such as 304 or 5xx, found '6xx'"),
        (Text.minimal + "limits: { each: { per: key } }", "p.yaml:4:17: limits.each: expected a 'limit', found none"),
        (
            Text.minimal + "limits: { each: { limit: custom } }",
            "limits.each.limit: expected a rate or 'unlimited', found 'custom'"
        ),
        (Text.minimal + "limits: { all: { limit: 1/hour } }", "p.yaml:4:11: limits.all: expected a name that is used once, found 'all'"),
        (Text.minimal + "boosts: { max_multiplier: 0 }", "p.yaml:4:27: boosts.max_multiplier: expected a number above 0"),
        (Text.minimal + "boosts: { per_month: 0 }", "p.yaml:4:11: boosts.per_month: expected 1 to 1000 boosts a month, found 0"),
        (Text.minimal + "events: { thresholds: [80%, 0%] }", "events.thresholds[1]: expected 1% to 100%, found 0%"),
        (
            Text.minimal + "events: { thresholds: [80] }",
            "p.yaml:4:24: events.thresholds[0]: expected whole percents such as 80%, found '80'"
        ),
        (Text.minimal + "endpoints: [{ limit: 5/day }]", "p.yaml:4:13: endpoints[0]: expected a 'match', found none"),
        (Text.minimal + "endpoints: [{ match: /x, limit: 5/day }]", "p.yaml:4:22: endpoints[0].match: expected a method and a path"),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: 5/dya }]",
            "p.yaml:4:37: endpoints[0].limit: expected a rate such as 100/hour"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: [5] }]",
            "p.yaml:4:37: endpoints[0].limit: expected a rate such as 100/hour, found a list"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { limit: 5 } }]",
            "p.yaml:4:37: endpoints[0].limit: expected a 'window' such as 1h"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { window: 1h } }]",
            "p.yaml:4:37: endpoints[0].limit: expected a 'limit', found none"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { limit: 5.5, window: 1h } }]",
            "p.yaml:4:46: endpoints[0].limit.limit: expected a whole number"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { limit: -5, window: 1h } }]",
            "p.yaml:4:46: endpoints[0].limit.limit: expected a whole number"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { limit: 5, window: 60 } }]",
            "p.yaml:4:57: endpoints[0].limit.window: expected a time with its unit"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { limit: 5, window: 1h, shadow: 1 } }]",
            "p.yaml:4:69: endpoints[0].limit.shadow: expected true"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { limit: 5, window: 1h, burst: 9, algorithm: fixed_window } }]",
            "p.yaml:4:61: endpoints[0].limit.burst: expected no burst for fixed_window"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: { limit: 9, windw: 1h, window: 1h } }]",
            "p.yaml:4:49: endpoints[0].limit.windw: unknown field"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: 9/ms }, { match: GET /x, limit: 9/s }]",
            "p.yaml:4:47: endpoints[1].match: expected one most specific"
        ),
        (
            Text.minimal + "endpoints: [{ match: GET /x, limit: 5/ms }, 7, { match: GET /y, limit: 5/s }]",
            "p.yaml:4:45: endpoints[1]: expected a mapping"
        ),
        (
            Text.minimal + "permissions: { p: { limits: { al: 0 } } }",
            "p.yaml:4:31: permissions.p.limits.al: expected the class to be one of 'all', found 'al' (did you mean 'all'?)"
        ),
        (Text.minimal + "permissions: { p: { multiplier: -1 } }", "p.yaml:4:33: permissions.p.multiplier: expected a number above 0"),
        (Text.minimal + "permissions: [p]", "p.yaml:4:14: permissions: expected a mapping such as 'key: value', found a list"),
        (Text.minimal + "priorities: { low: { reserve: 20 } }", "p.yaml:4:31: priorities.low.reserve: expected a percentage"),
        (Text.minimal + "priorities: { normal: { requires: x } }", "p.yaml:4:25: priorities.normal.requires: expected no permission"),
        (
            "name: x\nclasses: { all: [GET /**] }\ntiers: { one: { limits: { all: 5/s } } }",
            "p.yaml:2:1: classes: expected a class for every request, found none for 'PATCH /'"
        ),
        (
            "name: x\nclasses: { all: \"* /**\" }\ntiers: { one: { limits: {} } }",
            "p.yaml:3:17: tiers.one.limits: expected a rate for the class 'all'"
        ),
        ("name: x\nclasses: { all: \"* /**\" }\ntiers: { one: {} }", "p.yaml:3:10: tiers.one.limits: expected a rate for the class 'all'"),
        (
            "name: x\nclasses: { all: \"* /**\" }\ntiers: { one: { limits: { all: 9999/ms } } }",
            "p.yaml:3:27: tiers.one.limits.all: a limit has 9999 units"
        ),
        (
            "name: x\nclasses: { all: \"* /**\" }\ntiers: { one: { limits: { all: 5/s }, concurrency: many } }",
            "p.yaml:3:52: tiers.one.concurrency: expected a number of slots"
        ),
        (
            "name: x\nclasses: { all: \"* /**\" }\ntiers: { one: { limits: { all: 5/s }, concurrency: 99999 } }",
            "p.yaml:3:39: tiers.one.concurrency: a concurrency limit is"
        ),
        (
            "name: x\nclasses: { all: \"* /**\" }\ntiers: { one: { limits: { all: 5/s }, endpoint_multiplier: x } }",
            "p.yaml:3:60: tiers.one.endpoint_multiplier: expected a number"
        ),
        ("classes: { all: \"* /**\" }\ntiers: { one: { limits: { all: 5/s } } }", "p.yaml:1:1: name: expected a name, found nothing"),
        ("", "p.yaml:1:1: expected a policy, found an empty file"),
        ("# only a comment\n", "p.yaml:1:1: expected a policy, found an empty file"),
        ("just words", "p.yaml:1:1: expected a mapping such as 'key: value', found 'just words'"),
        ("- a\n- b", "p.yaml:1:1: expected a mapping such as 'key: value', found a list"),
        ("name: x\nclasses: { all: [\"* /**\"", "p.yaml:3:1: expected YAML, found an error while parsing a flow sequence"),
        ("name: x\ntiers:\n\tone: 5", "p.yaml:3:1: expected YAML, found an error while scanning for the next token"),
        ("name: x\ntiers:\n\tone: 5", "the line holds a tab"),
        ("name: x\nclasses: { all: [* /**] }", "p.yaml:2:"),
        ("name: x\n---\nname: y", "p.yaml:2:1: expected YAML, found an error"),
        ("name: &a x\nbase_path: *a", "p.yaml:1:7: expected values written out, found an anchor (&) or alias (*)"),
        ("name: 'x'\nclasses: {all: *a}", "p.yaml:2:16: expected values written out"),
        ("name: \u{0}", "expected YAML, found an error"),
        ("? [a, b]\n: c", "p.yaml:1:3: expected a word as key, found a list"),
    ]

    @Test("Every kind of error has file, line, column, field and what was expected", arguments: cases.indices)
    func kinds(_ index: Int) {
        let (yaml, expected) = Self.cases[index]
        let errors = errors(yaml)
        #expect(errors.contains { $0.contains(expected) }, "\(yaml)\n\(errors)")
        if yaml.hasPrefix(Text.minimal) { #expect(errors.count == 1, "\(errors)") }
    }

    @Test("All errors come at once, in the file's order, duplicates included and consequences left out")
    func together() {
        let errors = errors(
            """
            name: x
            clases: 1
            classes:
              read: [GET /**]
              read: [GET /x]
              write: ["* /**"]
              read: [GET /y]
            tiers:
              one:
                limits: { read: 5/yaer, read: 6/s, write: 6/s, wirte: 1/s }
              two:
                limits: { read: 5/s }
                limits: { read: 5/s, write: 6/s }
            endpoints:
              - { match: GET, limit: 5/s }
              - { match: GET /a/*, limit: 5/s }
              - { match: GET /a/**, limit: 5/s, limit: 9/s }
            """
        )
        let places = errors.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
        #expect(
            places == [
                "p.yaml:2:1: clases:", "p.yaml:5:3: classes.read:", "p.yaml:7:3: classes.read:", "p.yaml:10:21: tiers.one.limits.read:",
                "p.yaml:10:29: tiers.one.limits.read:", "p.yaml:10:52: tiers.one.limits.wirte:", "p.yaml:13:5: tiers.two.limits:",
                "p.yaml:15:14: endpoints[0].match:", "p.yaml:17:7: endpoints[2].match:", "p.yaml:17:37: endpoints[2].limit:",
            ],
            "\(errors.joined(separator: "\n"))"
        )
    }

    @Test("A file that was half written is refused wherever it breaks off, or is a policy of its own")
    func halfWritten() throws {
        let text = try String(contentsOf: Policies.folder.appendingPathComponent("tensorone.yaml"), encoding: .utf8)
        var accepted = 0
        for length in stride(from: 0, to: text.count, by: 41) where errors(String(text.prefix(length))).isEmpty { accepted += 1 }
        // Once the tiers are complete, the rest of the file is optional.
        #expect(accepted < text.count / 41)
        let secondTier = try #require(text.range(of: "  pro:"))
        for length in stride(from: 0, to: text.distance(from: text.startIndex, to: secondTier.lowerBound) - 20, by: 17) {
            #expect(!errors(String(text.prefix(length))).isEmpty)
        }
    }

    @Test("Bombs are refused at once")
    func bombs() {
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1..<60 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(errors(bomb).count == 1)
        #expect(errors("? &a [x]\n: y\n? *a\n: z").count == 1)
        #expect(!errors(String(repeating: "[", count: 100_000)).isEmpty)
        #expect(
            errors("name: " + String(repeating: "x", count: PolicyFile.largest)) == ["p.yaml: expected at most 1048576 bytes, found more"]
        )
    }

    @Test("Stars and ampersands inside of texts and comments are no aliases")
    func noAliases() throws {
        for text in [
            "base_path: /a*b&c # see *note &co\n", "base_path: \"/*a\"\n", "base_path: '/&a'\n", "# *a: &b\n",
            "permissions: { 'it''s, *b': {} }\n", "permissions: { \"a\\\", *b\": {} }\n",
        ] {
            #expect(errors(Text.minimal + text).isEmpty, "\(text) \(errors(Text.minimal + text))")
        }
    }

    @Test("Files that cannot be read say so")
    func files() throws {
        let missing = #expect(throws: InvalidPolicyFile.self) { try PolicyFile.load("/nonexistent/policy.yaml") }
        #expect(missing?.description.hasPrefix("/nonexistent/policy.yaml: cannot be read: ") == true)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("headgate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let binary = folder.appendingPathComponent("binary.yaml")
        try Data([0x6E, 0xFF, 0xFE]).write(to: binary)
        #expect(throws: InvalidPolicyFile.self) { try PolicyFile.load(binary.path) }
        let large = folder.appendingPathComponent("large.yaml")
        try Data(repeating: 0x23, count: PolicyFile.largest + 1).write(to: large)
        #expect(throws: InvalidPolicyFile.self) { try PolicyFile.load(large.path) }
        #expect(throws: InvalidPolicyFile.self) { try PolicyFile.load(folder.path) }
    }
}
