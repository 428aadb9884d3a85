internal import Headgate
internal import NIOCore

/// Finds what a Redis user may not do that the script has to: an error inside a script names neither command nor key.
struct AccessTest {
    /// The time that each try may take.
    private static let patience: TimeAmount = .milliseconds(500)

    let node: Node
    let calls: CallMaker

    /// What the user lacks, by name; `nil` when it can make decisions.
    ///
    /// - Throws: ``LimiterError`` when that could not be found out.
    func missing(tag: String?) async throws(LimiterError) -> LimiterError? {
        guard let tag, let probe = calls.probe(tag: tag, by: node.now + AccessTest.patience) else { return nil }
        do throws(LimiterError) {
            _ = try await node.ask(probe)
        } catch {
            guard error.code == .permission else { throw error }
            return try await named(tag, by: error)
        }
        // What the probe did not use may be lacking all the same.
        return try await named(tag, by: nil)
    }

    private func named(_ tag: String, by refusal: LimiterError?) async throws(LimiterError) -> LimiterError? {
        let key = "\(calls.keys.prefix):{g:\(tag)}:selftest:\(Lease.makeID())"
        var commands: [String] = []
        var lacksKeys = false
        for command in RedisAccess.trials(on: key) {
            do throws(LimiterError) {
                _ = try await node.ask(command, within: AccessTest.patience)
            } catch {
                guard error.code == .permission else { continue }
                if error.message.contains(" key") { lacksKeys = true } else { commands.append(command[0].lowercased()) }
            }
        }
        var lacks: [String] = []
        if !commands.isEmpty { lacks.append("the commands \(commands.map { "+\($0)" }.joined(separator: " "))") }
        if lacksKeys { lacks.append("the keys ~\(calls.keys.prefix):*") }
        guard !lacks.isEmpty else { return refusal }
        return AccessTest.lack(lacks.joined(separator: " and "))
    }

    /// What is said of a right that is lacking.
    static func lack(_ what: String) -> LimiterError {
        LimiterError(.permission, "the Redis user lacks \(what); `headgate redis-acl` prints what it needs")
    }
}
