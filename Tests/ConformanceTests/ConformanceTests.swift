import EmbeddedRedis
import Headgate
import LuaScripts
import TestSupport
import Testing

@testable import HeadgateRedis

/// The Lua script against its twin in Swift: the same generated operations at the same injected times, the reply and the
/// stored state compared after each of them.
@Suite("The script and its twin agree", .serialized, .exclusive)
struct ConformanceTests {
    static let steps = 20_000

    @Test("The tested script differs from the shipped one in the clock's line alone")
    func oneLineDiffers() {
        let shipped = Scripts.source.split(separator: "\n", omittingEmptySubsequences: false)
        let tested = TestScript.source.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(shipped.count == tested.count)
        #expect(zip(shipped, tested).filter { $0 != $1 }.count == 1)
        #expect(Scripts.source.ranges(of: TestScript.longestText).count == 1)
    }

    static let minute: Duration = .seconds(60)
    static let day: Duration = .seconds(86_400)

    /// Versions of one limit for each algorithm, the extremes of its numbers among them.
    static func versions() throws -> [Algorithm.Name: [Limit]] {
        func limits(_ algorithms: [Algorithm]) throws -> [Limit] { try algorithms.map { try Limit("limit", $0) } }
        return [
            .slidingWindowLog: try limits([
                .slidingWindowLog(5, per: minute), .slidingWindowLog(3, per: .milliseconds(1)), .slidingWindowLog(12, per: minute),
                .slidingWindowLog(0, per: minute),
                .slidingWindowLog(9, per: minute, resolution: .seconds(7)), .slidingWindowLog(60_000, per: .seconds(90)),
                .slidingWindowLog(700, per: .seconds(120)), .slidingWindowLog(Algorithm.mostUnits, per: .seconds(400 * 86_400)),
            ]),
            .tokenBucket: try limits([
                .tokenBucket(7, per: minute), .tokenBucket(3, per: .milliseconds(1)), .tokenBucket(7, per: minute, burst: 20),
                .tokenBucket(10, per: minute, burst: 3),
                .tokenBucket(999_983, per: day), .tokenBucket(999_983, per: day, burst: 1_500), .tokenBucket(0, per: minute, burst: 0),
                .tokenBucket(999_999_937, per: day), .tokenBucket(Algorithm.mostUnits, per: .seconds(400 * 86_400)),
            ]),
            .fixedWindow: try limits([
                .fixedWindow(5, per: minute), .fixedWindow(3, per: .milliseconds(1)), .fixedWindow(50, per: minute),
                .fixedWindow(0, per: minute),
                .fixedWindow(9, per: .seconds(90)), .fixedWindow(Algorithm.mostUnits, per: .seconds(400 * 86_400)),
            ]),
            .slidingWindowCounter: try limits([
                .slidingWindowCounter(5, per: minute), .slidingWindowCounter(3, per: .milliseconds(1)),
                .slidingWindowCounter(50, per: minute), .slidingWindowCounter(0, per: minute),
                .slidingWindowCounter(9, per: .seconds(90)),
                .slidingWindowCounter(Algorithm.mostUnits, per: .seconds(400 * 86_400)),
            ]),
            .concurrency: try limits([
                .concurrency(2, timeToLive: minute), .concurrency(2, timeToLive: .milliseconds(10)), .concurrency(5, timeToLive: minute),
                .concurrency(0, timeToLive: minute),
                .concurrency(3, timeToLive: .seconds(200)), .concurrency(200, timeToLive: minute),
            ]),
        ]
    }

    @Test("of one limit", arguments: Algorithm.Name.allCases)
    func single(name: Algorithm.Name) async throws {
        let limits = try #require(try Self.versions()[name])
        // Each version for itself, and then all of them in turn on one count, as plans that change.
        let versions = limits.map { [$0] } + [limits]
        for (seed, limits) in versions.enumerated() {
            try await Self.run(try Rehearsal(seed: UInt64(seed + 1), limits: limits), steps: Self.steps / versions.count + 1)
        }
    }

    @Test("of logs that are a list from the fourth entry on")
    func lists() async throws {
        let limits = try #require(try Self.versions()[.slidingWindowLog])
        for (seed, limits) in ([limits] + [[limits[2]], [limits[6]]]).enumerated() {
            try await Self.run(try Rehearsal(seed: UInt64(seed + 1), limits: limits, texts: .ofThreeEntries), steps: Self.steps / 3)
        }
    }

    @Test("of lists of limits of mixed algorithms, several decisions a call", arguments: [1, 2])
    func mixed(seed: UInt64) async throws {
        var limits: [Limit] = []
        for (name, versions) in try Self.versions().sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            for (index, version) in versions.prefix(3).enumerated() {
                limits.append(try Limit("\(name.rawValue)\(index % 2)", version.algorithm))
            }
        }
        try await Self.run(try Rehearsal(seed: seed, limits: limits, identities: 2, mostCharges: 5), steps: Self.steps / 2)
    }

    static func run(_ rehearsal: Rehearsal, steps: Int) async throws {
        let server = try await RedisServer.start()
        defer { server.kill() }
        var connection = try RawConnection(path: String(server.url.dropFirst("unix://".count)))
        _ = try connection.command("SCRIPT", "LOAD", rehearsal.script.source)
        var rehearsal = rehearsal
        var done = 0
        var tally = Tally()
        while done < steps {
            let batch = try (0..<min(250, steps - done)).map { _ in try rehearsal.step() }
            done += batch.count
            var replies = try connection.exchange(try batch.flatMap { try frames(of: $0) }).makeIterator()
            for (index, step) in batch.enumerated() {
                for _ in 0..<(1 + commands(after: step).count + step.frames.count) { _ = replies.next() }
                let all = replies.next()?.value.elements
                try compare(step, try #require(all), "step \(done - batch.count + index)", &tally)
            }
        }
        #expect(tally.exact * 2 >= tally.all)
    }

    /// How many times to live were exactly the expected ones, to the millisecond.
    struct Tally {
        var exact = 0
        var all = 0

        mutating func count(isExact: Bool) {
            exact += isExact ? 1 : 0
            all += 1
        }
    }

    /// A step as one transaction.
    ///
    /// In a transaction time stands still for expiry, so that a key with a time to live of a
    /// millisecond is still there to be compared; afterwards it lives on, since the injected time is not Redis'.
    static func frames(of step: RehearsedStep) throws -> [[UInt8]] {
        try [CommandArguments(["MULTI"]).framed()] + step.frames
            + commands(after: step).map { try CommandArguments($0).framed() }
            + [CommandArguments(["EXEC"]).framed()]
    }

    static func commands(after step: RehearsedStep) -> [[String]] {
        step.states.flatMap { state in
            [StoredText.command(state.algorithm, state.key), ["PTTL", state.key]]
        } + step.states.map { ["PEXPIRE", $0.key, String(kept.upperBound)] }
    }

    /// The time to live that a key is given after each comparison, less what a slow machine may let pass.
    static let kept: ClosedRange<Int64> = 86_000_000...86_400_000

    static func compare(_ step: RehearsedStep, _ replies: [RedisValue], _ place: String, _ tally: inout Tally) throws {
        let index = step.frames.count - 1
        guard let integers = replies[index].elements?.compactMap(\.integer), !integers.isEmpty else {
            Issue.record("\(place): \(step.what): \(replies[index])")
            throw RawConnection.Failure(what: "the script failed")
        }
        let isEqual = step.reply == Array(integers.dropFirst())
        if !isEqual { Issue.record("\(place): \(step.what): script \(integers.dropFirst()), twin \(step.reply)") }
        var isStored = true
        for (number, expected) in step.states.enumerated() {
            let stored = StoredText.state(expected.algorithm, replies[index + 1 + 2 * number])
            let timeToLive = replies[index + 2 + 2 * number].integer ?? -1
            if stored != expected.state {
                isStored = false
                Issue.record("\(place): \(step.what): stored \(String(describing: stored)), twin \(String(describing: expected.state))")
            }
            // -2 is "no key". A key that this step did not write still has the long time to live of the step before.
            // PTTL reads the clock anew, so a millisecond may have passed since the write; more than half see none.
            let isTimed =
                expected.state == nil
                ? timeToLive == -2
                : kept.contains(timeToLive) || (max(0, expected.timeToLive - 2_000)...max(0, expected.timeToLive)).contains(timeToLive)
            if expected.state != nil, !kept.contains(timeToLive) { tally.count(isExact: timeToLive == expected.timeToLive) }
            if !isTimed {
                isStored = false
                Issue.record("\(place): \(step.what): PTTL \(timeToLive) of \(String(describing: expected.state))")
            }
        }
        // What follows a difference is noise.
        if !isEqual || !isStored { throw RawConnection.Failure(what: "the script and its twin differ") }
    }
}
