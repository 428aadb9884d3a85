import EmbeddedRedis
import Headgate
import HeadgateAccounts
import HeadgateJSON
import HeadgatePolicy
import HeadgateRedis
import HeadgateYAML
import TestSupport
import Testing

@testable import HeadgateServer

@Suite("What the account commands print", .serialized, .exclusive)
struct ConsoleAccountTests {
    @Test("What customers wrote moves no cursor and begins no line of an operator's terminal")
    func hostileTexts() async throws {
        try await withProvider { page in
            let accounts = page.accounts
            _ = try await page.key()
            let hostile = "a\n2026-11-24T21:45:00Z admin: tier free -> enterprise\r\u{1B}[2J\u{9B}2J\u{202E}\u{2028}b"
            let actor = Actor("key \(hostile)")
            let boost = BoostRequest(multiplier: 2, duration: .seconds(3_600), reason: hostile)
            let taken = try await accounts.takeBoost(boost, for: "acme", by: actor)
            let own = AccountOverride(.unlimited, reason: hostile)
            let changed = try await accounts.setOverride(of: "acme", limit: "read", to: own, by: actor)
            _ = try await accounts.createKey(for: "acme", name: hostile, by: actor)
            _ = try await accounts.askForIncrease("acme", expectedVolume: hostile, useCase: hostile, timeline: hostile, by: actor)
            let now = try await accounts.time()
            let outputs: [(output: AccountOutput, lines: Int)] = [
                (AccountOutput(changed, at: now), 3), (AccountOutput(try await accounts.keys(of: "acme")), 2),
                (AccountOutput(try await accounts.increases()), 4), (AccountOutput(try await accounts.audit(of: "acme")), 6),
                (AccountOutput(taken, of: changed, at: now), 1),
            ]
            for (output, lines) in outputs {
                #expect(output.text.split(separator: "\n", omittingEmptySubsequences: false).count == lines, "\(output.text)")
                let categories = Set(output.text.filter { $0 != "\n" }.unicodeScalars.map(\.properties.generalCategory))
                #expect(categories.isDisjoint(with: [.control, .format, .lineSeparator, .paragraphSeparator]), "\(output.text)")
                // Programs get what was written.
                #expect(try JSONParser.parse(output.json.bytes).text == output.json.text)
            }
            #expect(outputs[2].output.json["limit_increases"][0]["use_case"] == .string(hostile))
        }
    }

    @Test("A command without a policy checks by the one that is served, and says why it cannot without Redis")
    func published() async throws {
        try await withProvider { page in
            #expect(try await eventually { try await page.accounts.publishedPolicy() != nil })
            let console = Console(policy: nil, store: .redis(url: page.server.url))
            let actor = Actor("test")
            func create(_ tier: String) async throws(CommandError) -> CommandResult {
                try await console.accounts(.text) { store in
                    AccountOutput(try await store.create(tier, tier: tier, by: actor), at: try await store.time())
                }
            }
            let error = await #expect(throws: CommandError.self) { try await create("gold") }
            #expect(error?.ending == .usage && error?.message.contains("tier: unknown tier 'gold'") == true)
            #expect(try await create("pro").text.hasPrefix("account pro, tier pro, since "))
            _ = try await page.redis.command(["SET", "hg:{a:odd}:account", "x"])
            let ours = await #expect(throws: CommandError.self) {
                try await console.accounts(.json) { store in
                    _ = try await store.account("odd")
                    return AccountOutput([AuditEntry]())
                }
            }
            // Who runs the command may see what Redis says.
            #expect(ours?.ending == .backend && ours?.message.contains("WRONGTYPE") == true)
        }
        let away = Console(policy: nil, store: .redis(url: "unix:///tmp/no-such-headgate-socket"))
        let error = await #expect(throws: CommandError.self) {
            try await away.accounts(.text) { store in AccountOutput(try await store.accounts().accounts, at: try await store.time()) }
        }
        #expect(error?.ending == .backend)
        let memory = await #expect(throws: CommandError.self) {
            try await Console(policy: nil, store: .memory).accounts(.text) { _ in AccountOutput([APIKey]()) }
        }
        #expect(memory?.ending == .usage && memory?.message.contains("--redis") == true)
    }
}
