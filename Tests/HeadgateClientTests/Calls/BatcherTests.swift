import HeadgateTesting
import Synchronization
import Testing

@testable import HeadgateClient

@Suite("Batching")
struct BatcherTests {
    @Test("A batch is due when it is full, or when its first item has waited long enough")
    func due() {
        var configuration = BatchConfiguration()
        configuration.mostItems = 3
        configuration.mostWaiting = 5
        var book = BatchBook<Int>(configuration)
        for item in 0..<5 { #expect(book.add(item, at: .milliseconds(item)) != nil) }
        #expect(book.add(5, at: .zero) == nil)
        #expect(book.due(at: .milliseconds(4))?.map(\.item) == [0, 1, 2])
        #expect(book.due(at: .milliseconds(7)) == nil)
        #expect(book.wakesAt == .milliseconds(8))
        #expect(book.due(at: .milliseconds(8))?.map(\.item) == [3, 4])
    }

    @Test("Each caller has its own result", .timeLimit(.minutes(1)))
    func results() async throws {
        let clock = ManualClock()
        let sizes = Mutex<[Int]>([])
        let batcher = Batcher(clock: clock) { (items: [Int]) in
            sizes.withLock { $0.append(items.count) }
            return items.map { $0 * 2 }
        }
        let results = try await clock.run(step: .milliseconds(1)) {
            try await withThrowingTaskGroup(of: (Int, Int)?.self) { group in
                group.addTask {
                    await batcher.run()
                    return nil
                }
                for item in 0..<50 { group.addTask { (item, try await batcher.call(item)) } }
                var results: [Int: Int] = [:]
                while results.count < 50, case let (item, result)?? = try await group.next() { results[item] = result }
                group.cancelAll()
                return results
            }
        }
        #expect(results == Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, $0 * 2) }))
        #expect(sizes.withLock { $0.allSatisfy { $0 <= 20 } && $0.reduce(0, +) == 50 })
    }

    @Test("A batch that fails, or whose answer is short, fails each of its callers clearly", .timeLimit(.minutes(1)))
    func failures() async throws {
        struct Broken: Error {}
        for isShort in [true, false] {
            let clock = ManualClock()
            let batcher = Batcher(clock: clock) { (items: [Int]) throws -> [Int] in
                guard isShort else { throw Broken() }
                return []
            }
            let errors = try await clock.run(step: .milliseconds(1)) {
                await withTaskGroup(of: ClientError?.self) { group in
                    group.addTask {
                        await batcher.run()
                        return nil
                    }
                    for item in 0..<3 { group.addTask { await failure { try await batcher.call(item) } } }
                    var errors: [ClientError.Code] = []
                    while errors.count < 3, let error = await group.next() { errors += [error?.code].compactMap { $0 } }
                    group.cancelAll()
                    return errors
                }
            }
            #expect(errors == [.batch, .batch, .batch])
        }
    }

    @Test("Whoever is cancelled is taken out of the batch; the end refuses those who wait", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        let clock = ManualClock()
        let batcher = Batcher(clock: clock) { (items: [Int]) in items }
        await withTaskGroup(of: ClientError?.self) { group in
            group.addTask { await failure { try await batcher.call(1) } }
            group.cancelAll()
            for await error in group { #expect(error?.code == .cancelled) }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await batcher.run() }
            group.cancelAll()
        }
        #expect(await failure { try await batcher.call(2) }?.code == .cancelled)
    }
}
