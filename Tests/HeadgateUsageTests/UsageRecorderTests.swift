import Headgate
import HeadgateTesting
import ServiceLifecycle
import Synchronization
import Testing

@testable import HeadgateUsage

@Suite("A recorder")
struct UsageRecorderTests {
    private let clock = ManualClock()
    private let sink = Sink()

    private func recorder(mostEntries: Int = 100_000) -> UsageRecorder {
        let sink = sink
        return UsageRecorder(mostEntries: mostEntries, clock: clock) { command throws(LimiterError) in try sink.send(command) }
    }

    @Test("sends at each interval, one command per account and minute")
    func intervals() async throws {
        let recorder = recorder()
        try await withServices([recorder]) {
            for _ in 0..<5 { recorder.record(try decision(class: "read"), for: try .acme()) }
            recorder.record(try decision(.denied), for: try .acme())
            recorder.record(try decision(), for: try Identity(.account, "other"))
            try await clock.waitForSleepers(1)
            clock.advance(by: .milliseconds(499))
            #expect(sink.commands.isEmpty)
            clock.advance(by: .milliseconds(1))
            try await clock.waitForSleepers(1)
            #expect(sink.commands.count == 2)
            #expect(sink.sums == ["allowed read": 5, "denied write by write": 1, "allowed write": 1])
            #expect(recorder.waiting == 0)
        }
        let acme = try #require(sink.commands.first { $0[3].contains("acme") })
        #expect(acme[0] == "EVAL" && acme[2] == "3")
        #expect(acme[3] == "hg:{a:acme}:usage-minute-2026-11-24T21.45")
        #expect(acme[6...8] == ["10800000", "777600000", "3456000000"])
    }

    @Test("sends everything at graceful shutdown")
    func shutdown() async throws {
        let recorder = recorder()
        try await withServices([recorder]) {
            try await clock.waitForSleepers(1)
            for account in 0..<1_000 { recorder.record(try decision(), for: try Identity(.account, "a\(account)")) }
        }
        #expect(sink.sums == ["allowed write": 1_000])
        #expect(recorder.waiting == 0)
    }

    @Test("keeps what certainly did not run, and asks a Redis that is away once at a time")
    func away() async throws {
        let recorder = recorder()
        for account in 0..<1_000 { recorder.record(try decision(), for: try Identity(.account, "a\(account)")) }
        sink.answer(with: LimiterError(.connect, "away"))
        #expect(await recorder.flush(after: .good) == .bad)
        #expect(sink.commands.count <= UsageRecorder.mostCalls)
        #expect(recorder.waiting == 1_000)
        let before = sink.commands.count
        #expect(await recorder.flush(after: .bad) == .bad)
        #expect(sink.commands.count == before + 1)
        sink.answer(with: nil)
        #expect(await recorder.flush(after: .bad) == .good)
        #expect(sink.commands.count == before + 1 + 1_000)
        #expect(recorder.waiting == 0)
    }

    @Test("gives up what may have run, and what Redis refuses as such")
    func lost() async throws {
        let recorder = recorder()
        recorder.record(try decision(), for: try .acme())
        sink.answer(with: LimiterError(.deadlineExceeded, "no answer", charge: .unknown))
        #expect(await recorder.flush(after: .good) == .bad)
        #expect(recorder.waiting == 0)
        recorder.record(try decision(), for: try .acme())
        sink.answer(with: LimiterError(.badRequest, "ERR"))
        #expect(await recorder.flush(after: .good) == .good)
        #expect(recorder.waiting == 0)
    }

    @Test("counts a decision without a time under what the store's time would be")
    func degraded() async throws {
        let recorder = recorder()
        recorder.record(try decision(at: .sample), for: try .acme())
        clock.advance(by: .seconds(125))
        recorder.record(try decision(degraded: true), for: try .acme())
        #expect(await recorder.flush(after: .good) == .good)
        let keys = Set(sink.commands.map { $0[3] })
        #expect(keys == ["hg:{a:acme}:usage-minute-2026-11-24T21.45", "hg:{a:acme}:usage-minute-2026-11-24T21.47"])
        let fresh = self.recorder()
        fresh.record(try decision(degraded: true), for: try .acme())
        let minute = fresh.shard(of: try .acme()).tally.withLock { $0.counts.keys.first?.minute }
        #expect(try #require(minute) > StoreTime.sample + .seconds(-400 * 86_400))
    }

    @Test("holds a bounded number of counts, whoever asks")
    func bounded() throws {
        let recorder = recorder(mostEntries: 10_000)
        let allowed = try decision()
        for account in 0..<1_000_000 { recorder.record(allowed, for: try Identity(.account, "a\(account)")) }
        #expect(recorder.waiting <= 10_000 && recorder.waiting > 9_900)
    }
}
