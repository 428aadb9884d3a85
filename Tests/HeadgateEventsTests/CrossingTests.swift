import Headgate
import HeadgateJSON
import Testing

@testable import HeadgateEvents

@Suite("The used share of a limit")
struct CrossingTests {
    @Test("is compared exactly: so many units of so many, for every threshold")
    func arithmetic() throws {
        for limit in Int64(1)...40 {
            for remaining in 0...limit {
                let use = try #require(LimitUse(try status(limit: limit, remaining: remaining)))
                for percent in 1...100 {
                    // The least number of units that is at least this share, rounded up.
                    let least = (Int64(percent) * limit + 99) / 100
                    #expect(use.reaches(percent) == (limit - remaining >= least), "\(limit) \(remaining) \(percent)")
                }
            }
        }
        let most = Algorithm.mostUnits
        let edge = (most * 80 + 99) / 100
        let window = Algorithm.longestWindow
        #expect(try #require(LimitUse(try status(limit: most, remaining: most - edge, window: window))).reaches(80))
        #expect(!(try #require(LimitUse(try status(limit: most, remaining: most - edge + 1, window: window))).reaches(80)))
    }

    @Test("is all of it when the limit denies, unless for good or for other priorities")
    func denials() throws {
        let denied = try #require(LimitUse(try status(remaining: 4, verdict: .denied, retryAfter: .seconds(1))))
        #expect(denied.reaches(100) && !denied.reaches(80) && denied.reaches(60))
        let permanent = try #require(LimitUse(try status(remaining: 10, verdict: .denied, retryAfter: nil)))
        #expect(!permanent.reaches(100) && !permanent.reaches(1))
        let heldBack = try #require(LimitUse(try status(remaining: 2, verdict: .denied, reserve: 2, retryAfter: .seconds(1))))
        #expect(!heldBack.reaches(100) && heldBack.reaches(80))
    }

    @Test("does not exist where nothing fills up")
    func others() throws {
        #expect(LimitUse(try status(remaining: 0, verdict: .wouldDeny)) == nil)
        #expect(LimitUse(try status(limit: 0, remaining: 0, verdict: .denied, retryAfter: nil)) == nil)
        let slots = LimitStatus(
            id: "slots",
            name: "slots",
            role: .concurrency,
            verdict: .denied,
            algorithm: try .concurrency(1),
            remaining: 0,
            retryAfter: .seconds(1)
        )
        #expect(LimitUse(slots) == nil)
        let unjudged = AppliedLimit(name: "read", role: .operationClass, id: "read", charge: nil)
        #expect(LimitUse(LimitStatus(unjudged: unjudged)) == nil)
    }

    @Test("becomes an event in plain words, which reads back")
    func event() throws {
        let entry = try EventStream.Entry.sample()
        #expect(
            entry.fields == [
                "type": "limit.near", "account": "acme", "limit": "read_operations", "limit_id": "read", "percent": "80", "used": "8",
                "allowed": "10", "window_seconds": "3600", "at": "2026-11-24T21:45:00Z", "reset_at": "2026-11-24T22:00:00Z",
            ]
        )
        #expect(LimitEvent(fields: entry.fields) == (try .sample()))
        #expect(
            try LimitEvent.sample().json(id: "evt_1-0").text == """
                {"id":"evt_1-0","type":"limit.near","created_at":"2026-11-24T21:45:00Z","data":{"account":"acme",\
                "limit":"read_operations","limit_id":"read","percent":80,"used":8,"allowed":10,"window_seconds":3600,\
                "reset_at":"2026-11-24T22:00:00Z"}}
                """
        )
        for name in entry.fields.keys {
            #expect(LimitEvent(fields: entry.fields.filter { $0.key != name }) == nil)
        }
    }
}

@Suite("The table of what was seen")
struct WatchTableTests {
    private func crossing(_ account: Int, window: Duration = .seconds(60)) throws -> Crossing {
        let status = try status(remaining: 0, window: window)
        let key = Crossing.Key(identity: try Identity(.account, "a\(account)"), limit: "read", percent: 100)
        return Crossing(key: key, status: status, use: try #require(LimitUse(status)), time: .sample)
    }

    @Test("tells a crossing once in its window")
    func once() throws {
        var table = WatchTable(mostWaiting: 10, mostKnown: 10)
        #expect(table.note(try crossing(1), at: .zero) == .queued)
        #expect(table.note(try crossing(1), at: .seconds(59)) == .known)
        #expect(table.note(try crossing(1), at: .seconds(60)) == .queued)
        table.remember(try crossing(1).key, until: .seconds(100))
        #expect(table.note(try crossing(1), at: .seconds(99)) == .known)
        table.forget(try crossing(1).key)
        #expect(table.note(try crossing(1), at: .seconds(99)) == .queued)
        #expect(table.take().count == 3 && table.queue.isEmpty)
    }

    @Test("holds a bounded number of those known and of those waiting, whoever asks")
    func bounds() throws {
        var table = WatchTable(mostWaiting: 5, mostKnown: 100)
        for account in 0..<5 { #expect(table.note(try crossing(account), at: .zero) == .queued) }
        #expect(table.note(try crossing(5), at: .zero) == .dropped)
        // What was dropped is not known: it is told when there is room.
        let taken = table.take()
        #expect(table.note(try crossing(5), at: .zero) == .queued)
        #expect(table.putBack(taken) == 1)
        #expect(table.queue.map(\.key) == (try [0, 1, 2, 3, 5].map { try crossing($0).key }))
        for account in 0..<10_000 {
            _ = table.note(try crossing(account), at: .zero)
            _ = table.take()
            #expect(table.known <= 100)
        }
        // The latest are still known.
        for account in 9_950..<10_000 { #expect(table.note(try crossing(account), at: .zero) == .known) }
    }
}
