import Headgate
import HeadgateJSON
import HeadgatePolicy
import HeadgateRedis
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("Records as they stand in Redis")
struct RecordLineTests {
    private static let now = StoreTime(microseconds: 1_795_556_700_000_000)  // 2026-11-24T21:45:00Z

    /// What a hash of an account with all kinds of fields holds.
    private static let fields = [
        "id": "acme", "tier": "pro", "created": "2026-11-24T21:45:00Z", "revision": "3", "increase": "i1",
        "override:read": #"{"limit":"5000/hour","until":"2026-12-01T00:00:00Z","reason":"load test","by":"cli alice"}"#,
        "override:POST/clusters": #"{"limit":"x2","reason":"","by":""}"#,
        "boost:b1": #"{"multiplier":"1.5","from":"2026-11-24T21:45:00Z","until":"2026-11-25T21:45:00Z","reason":"r","by":"key 1"}"#,
        "boosts:2026-11": "2",
    ]

    private func parsed(_ changes: [String: String?] = [:]) -> Account? {
        var fields = Self.fields
        for (name, value) in changes { fields[name] = value }
        return Account(fields: fields)
    }

    @Test("An account is read from its hash, field by field")
    func read() throws {
        let account = try #require(parsed())
        #expect(account.id == "acme" && account.tier == "pro" && account.created == Self.now && account.revision == 3)
        #expect(account.openIncrease == "i1" && account.boostsTaken == ["2026-11": 2])
        #expect(account.overrides.keys.sorted() == ["POST/clusters", "read"])
        let read = try #require(account.overrides["read"])
        #expect(read.limit == .units(5_000, per: .seconds(3_600)) && read.reason == "load test" && read.grantedBy == "cli alice")
        #expect(read.until?.rfc3339 == "2026-12-01T00:00:00Z")
        #expect(account.overrides["POST/clusters"]?.limit == .multiplied(2) && account.overrides["POST/clusters"]?.until == nil)
        let boost = try #require(account.boosts.first)
        #expect(boost.id == "b1" && boost.multiplier.description == "1.5" && boost.from == Self.now)
        #expect(boost.until == Self.now + .seconds(86_400) && boost.reason == "r" && boost.grantedBy == "key 1")
    }

    @Test("An account is the same after it was written and read", arguments: 1...20)
    func roundTrip(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        func seconds() -> StoreTime { StoreTime(microseconds: Int64.random(in: 0..<4_000_000_000, using: &generator) * 1_000_000) }
        func text() -> String {
            let alphabet = Array("ab:{}\"\\/ \n\t\u{1}é漢😀,_")
            return String((0..<Int.random(in: 0..<20, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? "x" })
        }
        func limit() throws -> LimitOverride {
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: .units(Int64.random(in: 0..<1_000_000, using: &generator), per: .seconds(3_600))
            case 1: .units(7, per: .milliseconds(Int64.random(in: 1..<100_000_000, using: &generator)))
            case 2: .slots(Int64.random(in: 0..<100, using: &generator))
            case 3: .multiplied(try Multiplier("0.\(Int64.random(in: 1..<1_000_000, using: &generator))"))
            default: .unlimited
            }
        }
        for _ in 0..<50 {
            var account = Account("acme\(text())", tier: Bool.random(using: &generator) ? text() : nil, created: seconds())
            for _ in 0..<Int.random(in: 0..<5, using: &generator) {
                let until = Bool.random(using: &generator) ? seconds() : nil
                account.overrides["limit\(text())"] = AccountOverride(try limit(), until: until, reason: text(), grantedBy: text())
            }
            for number in 0..<Int.random(in: 0..<5, using: &generator) {
                let factor = try Multiplier(String(number + 2))
                account.boosts.append(
                    Boost("b\(number)", multiplier: factor, from: seconds(), until: seconds(), reason: text(), grantedBy: text())
                )
            }
            account.boosts.sort { ($0.from, $0.id) < ($1.from, $1.id) }
            account.boostsTaken = ["2026-11": Int64.random(in: 0..<9, using: &generator)]
            account.openIncrease = Bool.random(using: &generator) ? "i\(text())" : nil
            account.revision = 7
            #expect(Account(fields: account.fields.merging(["revision": "7"]) { $1 }) == account)
        }
    }

    @Test("A hash without an id or a revision is no account", arguments: ["id", "revision"])
    func noAccount(missing: String) {
        #expect(parsed([missing: nil]) == nil)
        #expect(Account(fields: [:]) == nil)
        #expect(parsed(["revision": "many"]) == nil)
    }

    @Test(
        "A field that cannot be read counts as absent, and the others stand",
        arguments: [
            ("created", "yesterday"), ("override:read", ""), ("override:read", "{"), ("override:read", "[]"), ("override:read", "{}"),
            ("override:read", #"{"limit":5000}"#), ("override:read", #"{"limit":"often"}"#), ("override:read", #"{"limit":"custom"}"#),
            ("override:read", #"{"limit":"1/hour","limit":"9/hour"}"#), ("boost:b1", "{}"), ("boost:b1", "2"),
            ("boost:b1", #"{"multiplier":2,"from":"2026-11-24T21:45:00Z","until":"2026-11-25T21:45:00Z"}"#),
            ("boost:b1", #"{"multiplier":"-2","from":"2026-11-24T21:45:00Z","until":"2026-11-25T21:45:00Z"}"#),
            ("boost:b1", #"{"multiplier":"2","until":"2026-11-25T21:45:00Z"}"#),
            ("boost:b1", #"{"multiplier":"2","from":"2026-11-24T21:45:00Z","until":"2026-02-30T00:00:00Z"}"#), ("boosts:2026-11", "two"),
            ("unknown", "x"), ("other:kind", "x"), ("override", "x"), (":", "x"), ("", "x"),
        ]
    )
    func garbage(name: String, value: String) throws {
        var expected = try #require(parsed())
        switch name {
        case "created": expected.created = StoreTime(microseconds: 0)
        case "override:read": expected.overrides["read"] = nil
        case "boost:b1": expected.boosts = []
        case "boosts:2026-11": expected.boostsTaken = [:]
        default: break
        }
        #expect(parsed([name: value]) == expected)
    }

    @Test("An override whose end cannot be read has ended: it is never longer than somebody meant it")
    func unreadableEnd() throws {
        let account = try #require(parsed(["override:read": #"{"limit":"5000/hour","until":"soon"}"#]))
        #expect(account.overrides["read"] != nil && account.overrides(at: Self.now)["read"] == nil)
    }

    private static let digest = String(repeating: "0f", count: 32)
    private static let keyFields = [
        "id": "abcdefgh", "sha256": digest, "account": "acme", "permissions": "boost,read-only", "name": "job, \"one\"",
        "created": "2026-11-24T21:45:00Z", "revision": "2", "revoked": "2026-11-25T21:45:00Z",
    ]

    @Test("A key is the same after it was written and read")
    func key() throws {
        let key = try #require(APIKey(fields: Self.keyFields.merging(["last_used": "2026-11-24T22:00:00Z"]) { $1 }))
        #expect(key.id == "abcdefgh" && key.digest == Self.digest && key.account == "acme" && key.name == "job, \"one\"")
        #expect(key.permissions == ["boost", "read-only"] && key.created == Self.now && key.revision == 2)
        #expect(key.revoked == Self.now + .seconds(86_400) && key.lastUsed == Self.now + .seconds(900))
        #expect(key.fields.merging(["revision": "2"]) { $1 } == Self.keyFields)
        let plain = APIKey(id: "abcdefgh", digest: Self.digest, account: "acme", permissions: [], name: "", created: Self.now)
        #expect(APIKey(fields: plain.fields.merging(["revision": "0"]) { $1 }) == plain)
    }

    @Test("A key without its essentials is none, and a mark of revocation that cannot be read is one all the same")
    func badKey() throws {
        for name in ["id", "sha256", "account", "revision"] {
            #expect(APIKey(fields: Self.keyFields.filter { $0.key != name }) == nil)
        }
        #expect(APIKey(fields: Self.keyFields.merging(["sha256": "abc"]) { $1 }) == nil)
        #expect(APIKey(fields: Self.keyFields.merging(["revoked": ""]) { $1 })?.revoked != nil)
        #expect(APIKey(fields: Self.keyFields.filter { $0.key != "revoked" })?.revoked == nil)
        #expect(APIKey(fields: Self.keyFields.merging(["last_used": "x", "permissions": ""]) { $1 })?.lastUsed == nil)
    }

    @Test("A request for more is the same after it was written and read", arguments: LimitIncrease.Status.allCases)
    func increase(status: LimitIncrease.Status) throws {
        let increase = LimitIncrease(
            id: "i1",
            account: "acme",
            tier: "pro",
            expectedVolume: "5000/hour, \"soon\"",
            useCase: "launch\n😀",
            timeline: "December",
            created: Self.now,
            status: status,
            answer: "yes",
            answeredBy: "admin API"
        )
        #expect(LimitIncrease("i1", line: increase.json.text) == increase)
        for line in ["", "{}", "[]", #"{"account":"acme"}"#, #"{"account":"acme","status":"lost"}"#, #"{"status":"open"}"#] {
            #expect(LimitIncrease("i1", line: line) == nil)
        }
    }

    @Test("A note of the audit is read whatever its fields are, and nothing else is")
    func audit() throws {
        func bytes(_ text: String) -> RedisValue { .bytes(Array(text.utf8)) }
        let fields = Note(what: "tier", old: "free", new: "pro", reason: "paid").fields(by: Actor("cli alice"))
        let entry = try #require(AuditEntry(.array([bytes("1795556700123-0"), .array(fields.map(bytes))])))
        #expect(entry.time == Self.now + .milliseconds(123) && entry.who == "cli alice" && entry.what == "tier")
        #expect(entry.old == "free" && entry.new == "pro" && entry.reason == "paid")
        #expect(AuditEntry(.array([bytes("1795556700123-0"), .array([])]))?.what == "")
        #expect(AuditEntry(.array([bytes("1795556700123-0"), .array([bytes("what")])]))?.what == "")
        for value in [RedisValue.null, .integer(1), .array([]), .array([bytes("x-0"), .array([])]), .array([bytes("1-0"), .null])] {
            #expect(AuditEntry(value) == nil)
        }
    }

    @Test("An actor's name has no control characters and 128 characters at most")
    func actor() {
        #expect(Actor("cli al\nice\u{7F}\0").name == "cli al?ice??")
        #expect(Actor(String(repeating: "x", count: 1_000)).name.count == 128)
    }

    @Test("No two kinds of records, and no record and count, share a key")
    func names() throws {
        let keys = RecordKeys(prefix: "hg")
        let names = [
            try keys.account("x"), try keys.keys(of: "x"), try keys.audit(of: "x"), try keys.key("x"), try keys.audit(ofKey: "x"),
            keys.changes,
            keys.increases, keys.policy,
        ]
        #expect(Set(names).count == names.count)
        #expect(names.contains("hg:{a:x}:account") && names.contains("hg:{k:x}:key"))
        // A count's key has a third part, the form of its state.
        let space = try KeySpace(prefix: "hg")
        #expect(names.allSatisfy { space.parse($0) == nil })
        #expect(try keys.account("a b").hasPrefix("hg:{a:#"))
    }
}
