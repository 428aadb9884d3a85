import AsyncHTTPClient
import HeadgateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import HeadgateClient

@Suite("Polling", .timeLimit(.minutes(1)))
struct PollingTests {
    /// Polls a server and steps the clock to the moment before each answer is due, and to the moment itself.
    ///
    /// - Returns: The error that ended the poll, if one did.
    private func poll(
        expecting times: [Duration],
        _ answer: @escaping @Sendable (Int) -> HTTPClientResponse
    ) async throws -> ClientError? {
        let clock = ManualClock()
        let server = PlayedServer { _, index in answer(index) }
        let client = PoliteClient(server, clock)
        let (answers, told) = AsyncStream<ClientError?>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do throws(ClientError) {
                    for try await _ in client.poll(HTTPClientRequest(url: "http://api.test/job"), timeout: .seconds(20)) { told.yield(nil) }
                } catch { told.yield(error) }
                told.finish()
            }
            defer { group.cancelAll() }
            var iterator = answers.makeAsyncIterator()
            for time in times {
                // Waits may follow each other: for the interval, then for the pace.
                while clock.now.sinceStart < time {
                    try await clock.waitForSleepers(1)
                    let count = server.requests.count
                    let rest = time - clock.now.sinceStart
                    clock.advance(by: rest > .milliseconds(1) ? min(rest - .milliseconds(1), .seconds(1)) : rest)
                    for _ in 0..<50 { await Task.yield() }
                    if clock.now.sinceStart < time { #expect(server.requests.count == count, "before \(time)") }
                }
                guard let told = await iterator.next() else { return nil }
                if let error = told { return error }
                #expect(clock.now.sinceStart == time)
            }
            return nil
        }
    }

    private static func answer(_ status: HTTPResponseStatus = .ok, _ headers: [String: String] = [:]) -> HTTPClientResponse {
        HTTPClientResponse(status, headers.merging(["Content-Length": "0"]) { $1 })
    }

    @Test("5, 10, 30 and then every 60 seconds")
    func progressive() async throws {
        let times = [0, 5, 15, 45, 105, 165, 225].map { Duration.seconds($0) }
        #expect(try await poll(expecting: times) { _ in Self.answer() } == nil)
    }

    @Test("An answer's Retry-After lengthens the interval, in seconds and as a date, and never shortens it")
    func retryAfter() async throws {
        let error = try await poll(expecting: [0, 90, 100, 130, 300].map { .seconds($0) }) { index in
            switch index {
            case 0: Self.answer(.accepted, ["Retry-After": "90"])
            case 1: Self.answer(.accepted, ["Retry-After": "1"])
            // The server's clock began at 1 January 2022; this is 5 minutes later.
            case 3: Self.answer(.accepted, ["Retry-After": "Sat, 01 Jan 2022 00:05:00 GMT"])
            default: Self.answer(.accepted)
            }
        }
        #expect(error == nil)
    }

    @Test("A question waits for the pace: with nothing left none is asked before there is more")
    func pace() async throws {
        let error = try await poll(expecting: [0, 12, 22, 52].map { .seconds($0) }) { index in
            guard index == 0 else { return Self.answer() }
            return Self.answer(
                .ok,
                ["X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"]
            )
        }
        #expect(error == nil)
    }

    @Test("A question that is refused until a time is asked again then, though that is beyond its own deadline")
    func refused() async throws {
        for status in [HTTPResponseStatus.tooManyRequests, .serviceUnavailable] {
            let clock = ManualClock()
            let times = Mutex<[Duration]>([])
            let server = PlayedServer { _, index in
                times.withLock { $0.append(clock.now.sinceStart) }
                return index == 1 ? Self.answer(status, ["Retry-After": "120"]) : Self.answer()
            }
            let client = PoliteClient(server, clock)
            try await clock.run {
                var answers = 0
                for try await _ in client.poll(HTTPClientRequest(url: "http://api.test/job"), timeout: .seconds(20)) {
                    answers += 1
                    if answers == 2 { break }
                }
            }
            // The clock runs on while tasks are scheduled.
            let asked = times.withLock { $0 }
            #expect(asked.count == 3 && asked[1] - asked[0] >= .seconds(5) && asked[2] - asked[1] >= .seconds(120))
        }
    }

    @Test("A time of more than an hour ends the poll with an error, and so does anything else that ends a call")
    func ended() async throws {
        let day = try await poll(expecting: [.zero]) { _ in Self.answer(.tooManyRequests, ["Retry-After": "86400"]) }
        #expect(day?.code == .rateLimited && day?.retryAfter == .seconds(86_400))
    }

    @Test("A poll is cancelled between two questions; meanwhile it is no call that waits")
    func cancelled() async throws {
        let clock = ManualClock()
        let server = PlayedServer { _, _ in Self.answer() }
        let client = PoliteClient(server, clock)
        let (answers, told) = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: ClientError?.self) { group in
            group.addTask {
                await failure {
                    for try await _ in client.poll(HTTPClientRequest(url: "http://api.test/job"), timeout: .seconds(20)) { told.yield() }
                }
            }
            for await _ in answers { break }
            try? await clock.waitForSleepers(1)
            #expect(client.waiting == 0)
            group.cancelAll()
            for await error in group { #expect(error?.code == .cancelled) }
        }
        #expect(server.requests.count == 1)
    }

    @Test("Intervals of one's own, never shorter than the server asks")
    func intervals() {
        let intervals = PollingIntervals(.seconds(1), .seconds(2))
        #expect([1, 2, 3, 99].map { intervals.wait(after: $0, retryAfter: nil) } == [.seconds(1), .seconds(2), .seconds(2), .seconds(2)])
        #expect(intervals.wait(after: 1, retryAfter: .seconds(9)) == .seconds(9))
    }
}
