import Foundation
import Headgate
import HeadgateRedis

/// Lines of standard output: one JSON object each.
enum Output {
    static func print(_ value: some Encodable) {
        guard let line = try? JSONEncoder().encode(value) else { return }
        try? FileHandle.standardOutput.write(contentsOf: line + [UInt8(ascii: "\n")])
    }

    /// Lines of standard input, until it ends.
    static func lines() -> AsyncStream<String> {
        let (lines, continuation) = AsyncStream<String>.makeStream()
        Thread.detachNewThread {
            while let line = readLine() { continuation.yield(line) }
            continuation.finish()
        }
        return lines
    }
}

/// The end of a burst.
private struct BurstEnd: Encodable {
    var burst: Int64
    var count: Int
    var nanoseconds: Int64
    /// The longest time from a call to its answer, of those that were refused as too many.
    var refusedNanoseconds: Int64
    var refused: Int
}

extension Worker {
    /// Does what the lines of standard input say, until `stop`, its end, or the end of the plan's time.
    ///
    ///     rate N | acquire KEY LIMITS COST [TIMES] | burst N KEY LIMIT [COST] | cancel N KEY LIMIT [BYSTANDERS] | probe | metrics | stop
    func obey() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await line in Output.lines() where await !obey(line.split(separator: " ").map(String.init)) { break }
            }
            if plan.seconds > 0 { group.addTask { try? await Task.sleep(for: .seconds(plan.seconds)) } }
            await group.next()
            group.cancelAll()
        }
    }

    /// False when there is no more to do.
    private func obey(_ words: [String]) async -> Bool {
        func word(_ index: Int, _ fallback: String = "") -> String { words.indices.contains(index) ? words[index] : fallback }
        func number(_ index: Int, _ fallback: Int) -> Int { Int(word(index)) ?? fallback }
        switch word(0) {
        case "stop": return false
        case "rate": pace.perSecond = min(500, number(1, 0))
        case "metrics": report(final: false)
        case "acquire":
            for _ in 0..<number(4, 1) {
                Output.print(await decided(word(1), named(word(2)), Int64(word(3)) ?? 1).record)
            }
        case "burst": await burst(number(1, 1), word(2), named(word(3)), Int64(number(4, 1)))
        case "cancel": await cancel(number(1, 1), word(2), named(word(3)), bystanders: number(4, 0))
        case "probe":
            do throws(LimiterError) {
                try await store.probe()
                Output.print(["probe": "ok"])
            } catch {
                Output.print(["probe": error.code.description, "message": error.message])
            }
        default: Output.print(["unknown": word(0)])
        }
        return true
    }

    private func named(_ ids: String) -> [Limit] {
        ids.split(separator: "+").compactMap { id in limits.first { $0.id == id } }
    }

    /// Makes decisions at once, as many callers do.
    private func burst(_ count: Int, _ key: String, _ limits: [Limit], _ cost: Int64) async {
        let number = history.count + 1
        let start = monotonicNanoseconds()
        let refused = await withTaskGroup(of: Int64?.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let record = await decided(key, limits, cost, burst: number).record
                    return record.x == "overloaded" ? record.e - record.s : nil
                }
            }
            return await group.reduce(into: [Int64]()) { times, time in if let time { times.append(time) } }
        }
        Output.print(
            BurstEnd(
                burst: number,
                count: count,
                nanoseconds: monotonicNanoseconds() - start,
                refusedNanoseconds: refused.max() ?? 0,
                refused: refused.count
            )
        )
    }

    /// Makes decisions whose callers give up at random instants of the first two milliseconds.
    private func cancel(_ count: Int, _ key: String, _ limits: [Limit], bystanders: Int) async {
        var random = SeededGenerator(seed: plan.seed, salt: Array("cancel".utf8))
        for _ in 0..<count {
            let patience = Duration.microseconds(Int64.random(in: 0...2_000, using: &random))
            await withTaskGroup(of: Void.self) { crowd in
                crowd.addTask {
                    await withTaskGroup(of: Void.self) { group in
                        group.addTask { await decide(key, limits, 1) }
                        group.addTask { try? await Task.sleep(for: patience) }
                        await group.next()
                        group.cancelAll()
                    }
                }
                for number in 0..<bystanders {
                    crowd.addTask { await decide("\(key)-\(number)", limits, 1) }
                }
            }
        }
        Output.print(["cancelled": count])
    }
}
