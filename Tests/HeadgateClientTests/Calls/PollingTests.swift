import AsyncHTTPClient
import HeadgateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import HeadgateClient

@Suite("Polling")
struct PollingTests {
    @Test("5, 10, 30 and then every 60 seconds, or as long as Retry-After says", .timeLimit(.minutes(1)))
    func progressive() async throws {
        let clock = ManualClock()
        let times = Mutex<[Duration]>([])
        let server = PlayedServer { _, index in
            times.withLock { $0.append(clock.now.sinceStart) }
            return HTTPClientResponse(.accepted, index == 5 ? ["Retry-After": "90"] : [:])
        }
        let client = PoliteClient(server, clock)
        try await clock.run {
            var answers = 0
            for try await answer in client.poll(HTTPClientRequest(url: "http://api.test/job"), timeout: .seconds(9)) {
                _ = try await answer.text()
                answers += 1
                if answers == 7 { break }
            }
        }
        let sent = times.withLock { $0 }
        let gaps = zip(sent, sent.dropFirst()).map { ($1 - $0).components.seconds }
        // The clock runs on while the tasks are scheduled, so a gap may be longer; the intervals themselves are tested below.
        for (gap, interval) in zip(gaps, [5, 10, 30, 60, 60, 90]) { #expect(gap >= interval) }
        #expect(gaps.count == 6)
    }

    @Test("Intervals of one's own, never shorter than the server asks")
    func intervals() {
        let intervals = PollingIntervals(.seconds(1), .seconds(2))
        #expect([1, 2, 3, 99].map { intervals.wait(after: $0, retryAfter: nil) } == [.seconds(1), .seconds(2), .seconds(2), .seconds(2)])
        #expect(intervals.wait(after: 1, retryAfter: .seconds(9)) == .seconds(9))
    }
}
