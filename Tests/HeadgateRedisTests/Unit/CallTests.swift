import Headgate
import NIOCore
import Testing

@testable import HeadgateRedis

@Suite("Waiting for an answer")
struct CallTests {
    private let load = Load(.init(decisions: 10, bytes: 10_000))

    private func call() throws -> Call { try Call.make(.integers(count: 3, nonce: 1), .distantFuture, load) }

    /// Waits for a call, with the body run once the caller is suspended.
    private func answer(_ call: Call, _ body: () -> Void) async -> Call.Answer {
        await withCheckedContinuation { caller in
            if call.begin({ caller.resume(returning: $0) }) { body() }
        }
    }

    private func code(_ answer: Call.Answer) -> String {
        switch answer {
        case .success: "success"
        case .failure(let error): "\(error.code) \(error.charge)"
        }
    }

    @Test("The first outcome counts, and the others change nothing")
    func outcomes() async throws {
        let answered = try call()
        let first = await answer(answered) {
            #expect(answered.markSent())
            answered.finish(.success(.integers([1])))
            answered.giveUp(.cancelled, "")
            answered.finish(.failure(LimiterError(.connect, "")))
        }
        #expect(code(first) == "success")
        let cancelled = try call()
        let second = await answer(cancelled) {
            #expect(cancelled.markSent())
            cancelled.giveUp(.cancelled, "")
            cancelled.finish(.success(.integers([1])))
        }
        #expect(code(second) == "cancelled unknown")
        #expect(cancelled.isOver)
    }

    @Test("What is known of the charge depends on whether the call was sent")
    func charges() async throws {
        let queued = try call()
        let first = await answer(queued) { queued.giveUp(.deadlineExceeded, "") }
        #expect(code(first) == "deadlineExceeded notCharged")
        #expect(!queued.markSent())
        let sent = try call()
        let second = await answer(sent) {
            _ = sent.markSent()
            sent.giveUp(.deadlineExceeded, "")
        }
        #expect(code(second) == "deadlineExceeded unknown")
        #expect(!sent.markQueued())
        let refused = try call()
        let third = await answer(refused) {
            _ = refused.markSent()
            #expect(refused.markQueued())
            refused.giveUp(.cancelled, "")
        }
        #expect(code(third) == "cancelled notCharged")
    }

    @Test("A caller that gave up before it waited is answered when it begins")
    func gaveUpBefore() async throws {
        let call = try call()
        call.giveUp(.cancelled, "")
        let answer = await answer(call) { Issue.record("it must not begin") }
        #expect(code(answer) == "cancelled notCharged")
    }

    @Test("Ten threads end a call at once, and its caller is answered once")
    func races() async throws {
        for round in 0..<500 {
            let call = try call()
            let answer = await withTaskGroup(of: Void.self) { group in
                await withCheckedContinuation { caller in
                    _ = call.begin { caller.resume(returning: $0) }
                    for ender in 0..<10 { group.addTask { CallTests.end(call, (round + ender) % 3) } }
                }
            }
            #expect(["success", "cancelled notCharged", "connect notCharged"].contains(code(answer)))
        }
        #expect(load.decisions == 0)
    }

    private static func end(_ call: Call, _ way: Int) {
        switch way {
        case 0: call.giveUp(.cancelled, "")
        case 1: call.finish(.success(.integers([1])))
        default: call.finish(.failure(LimiterError(.connect, "")))
        }
    }

    @Test("Shares are given back when calls are gone, also those that were refused")
    func shares() throws {
        do {
            let calls = try (0..<10).map { _ in try call() }
            #expect(load.decisions == calls.count)
            #expect(throws: LimiterError.self) { try call() }
            #expect(load.decisions == 10)
        }
        #expect(load.decisions == 0)
        #expect(load.bytes == 0)
        #expect(throws: LimiterError.self) { _ = try load.take(decisions: 1, bytes: 10_001) }
        #expect(load.decisions == 0 && load.bytes == 0)
    }
}
