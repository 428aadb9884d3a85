import Headgate
import Testing

@testable import HeadgateUsage

@Suite("Counts that wait to be sent")
struct UsageTallyTests {
    private func entry(_ account: String, minute: Int64 = 0, class operationClass: String = "read") throws -> UsageTally.Entry {
        UsageTally.Entry(
            identity: try Identity(.account, account),
            minute: StoreTime(microseconds: minute * 60_000_000),
            field: UsageField(outcome: .allowed, operationClass: operationClass)
        )
    }

    @Test("are handed out by account and minute, once")
    func batches() throws {
        var tally = UsageTally(mostEntries: 10)
        for _ in 0..<3 { #expect(tally.add(1, to: try entry("a")) == .counted) }
        #expect(tally.add(1, to: try entry("a", class: "write")) == .counted)
        #expect(tally.add(1, to: try entry("a", minute: 1)) == .counted)
        #expect(tally.add(1, to: try entry("b")) == .counted)
        let batches = UsageBatch.batches(of: tally.take())
        #expect(batches.count == 3)
        let first = batches.first { $0.identity.tag == "a:a" && $0.minute.microseconds == 0 }
        #expect(first?.counts.map { "\($0.text) \($1)" }.sorted() == ["allowed read 3", "allowed write 1"])
        #expect(first?.total == 4)
        #expect(tally.take().isEmpty)
    }

    @Test("are bounded: what is known is still counted, what is new is dropped")
    func bound() throws {
        var tally = UsageTally(mostEntries: 2)
        #expect(tally.add(1, to: try entry("a")) == .counted)
        #expect(tally.add(1, to: try entry("b")) == .counted)
        #expect(tally.add(1, to: try entry("c")) == .dropped)
        #expect(tally.add(1, to: try entry("a")) == .counted)
        #expect(tally.counts.count == 2)
    }

    @Test("are put back on top of what came since, within the bound")
    func putBack() throws {
        var tally = UsageTally(mostEntries: 2)
        _ = tally.add(5, to: try entry("a"))
        _ = tally.add(3, to: try entry("a", class: "write"))
        let batch = try #require(UsageBatch.batches(of: tally.take()).first)
        _ = tally.add(1, to: try entry("a"))
        #expect(tally.putBack(batch) == 0)
        #expect(tally.counts == [try entry("a"): 6, try entry("a", class: "write"): 3])
        _ = tally.take()
        _ = tally.add(1, to: try entry("a"))
        _ = tally.add(1, to: try entry("b"))
        #expect(tally.putBack(batch) == 3)
        #expect(tally.counts == [try entry("a"): 6, try entry("b"): 1])
    }
}
