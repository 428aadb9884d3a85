internal import Headgate
internal import NIOCore
internal import Synchronization

/// Denials as Redis gave them, remembered until the time that it said: a saturated subject costs no call.
///
/// Only denials are remembered, never counts. One answers only for as much or more of the same limit with the same numbers, and
/// not after something came back: a refund or a reset here forgets it at once, one of another instance when the next look at the
/// ``DenialWatch`` tells.
final class DenialCache: Sendable {
    /// One limit's count of one identity.
    private struct Key: Hashable {
        let tag: String
        let limit: String
        let algorithm: Algorithm.Name

        init(_ identity: Identity, _ limit: Limit) {
            tag = identity.tag
            self.limit = limit.id
            algorithm = limit.algorithm.name
        }
    }

    private struct Denial {
        let algorithm: Algorithm
        let cost: Int64
        let reserve: Int64
        let reading: Reading
        /// Redis' time of the denial, and when the call left: Redis judged it after that.
        let time: StoreTime
        let sentAt: NIODeadline
        let until: NIODeadline
    }

    private static let shardCount = 16

    private let shards: [Shard]
    private let most: Int
    private let count = Atomic<Int>(0)
    /// How often something was given back, as far as is known here.
    private let givenBack = Atomic<Int>(0)
    /// When other instances' refunds and resets were last asked for, in nanoseconds of uptime; 0 for never.
    private let heardAt = Atomic<UInt64>(0)

    /// How long a denial may answer without a word of what others gave back.
    static let longestSilence: TimeAmount = .seconds(1)

    private final class Shard: Sendable {
        let denials = Mutex<[Key: Denial]>([:])
    }

    /// A cache of at most so many denials.
    init(atMost most: Int) {
        self.most = max(1, most / DenialCache.shardCount)
        shards = (0..<DenialCache.shardCount).map { _ in Shard() }
    }

    /// Whether nothing is remembered.
    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }
}

// MARK: Answers

extension DenialCache {
    /// What is remembered of a decision: that a limit denies it; `nil` when Redis has to be asked.
    func reply(to decision: StoreDecision, at now: NIODeadline) -> (time: StoreTime, verdict: Verdict)? {
        guard count.load(ordering: .relaxed) > 0 else { return nil }
        let heard = NIODeadline.uptimeNanoseconds(heardAt.load(ordering: .relaxed))
        guard now - heard <= DenialCache.longestSilence else { return nil }
        var readings: [Reading]?
        var time = StoreTime(microseconds: 0)
        for (index, charge) in decision.charges.enumerated() where charge.isDeniable {
            guard let denial = denial(of: charge, at: now) else { continue }
            if readings == nil { readings = decision.charges.map { _ in .unjudged } }
            readings?[index] = denial.reading.later(by: (now - denial.sentAt).nanoseconds / 1_000)
            time = max(time, StoreTime(microseconds: denial.time.microseconds + (now - denial.sentAt).nanoseconds / 1_000))
        }
        return readings.map { (time, Verdict(granted: 0, readings: $0)) }
    }

    private func denial(of charge: Charge, at now: NIODeadline) -> Denial? {
        let key = Key(charge.identity, charge.limit)
        return shard(of: key).denials.withLock { denials in
            guard let denial = denials[key] else { return nil }
            guard denial.until > now else {
                denials[key] = nil
                count.wrappingSubtract(1, ordering: .relaxed)
                return nil
            }
            let covers = charge.cost >= denial.cost && charge.reserve >= denial.reserve && charge.limit.algorithm == denial.algorithm
            return covers ? denial : nil
        }
    }

    private func shard(of key: Key) -> Shard { shards[Int(truncatingIfNeeded: UInt(bitPattern: key.hashValue) % UInt(shards.count))] }
}

// MARK: What is remembered

extension DenialCache {
    /// What has to be the same still when the reply to a call comes: nothing was given back meanwhile.
    var generation: Int { givenBack.load(ordering: .acquiring) }

    /// Remembers what a reply denies, of a call that left at an instant, unless something was given back since.
    func remember(_ decision: StoreDecision, _ verdict: Verdict, at time: StoreTime, sentAt: NIODeadline, generation: Int) {
        guard verdict.granted == 0, self.generation == generation else { return }
        for (charge, reading) in zip(decision.charges, verdict.readings)
        where charge.isDeniable && reading.fit == 0 && reading.retryAfter > 0 {
            let denial = Denial(
                algorithm: charge.limit.algorithm,
                cost: charge.cost,
                reserve: charge.reserve,
                reading: reading,
                time: time,
                sentAt: sentAt,
                until: sentAt + .microseconds(reading.retryAfter)
            )
            let key = Key(charge.identity, charge.limit)
            shard(of: key).denials.withLock { denials in
                if denials[key] == nil {
                    if denials.count >= most { makeRoom(in: &denials, at: sentAt) }
                    count.wrappingAdd(1, ordering: .relaxed)
                }
                denials[key] = denial
            }
        }
    }

    /// Forgets what is over; else something, which costs a call and no count.
    private func makeRoom(in table: inout [Key: Denial], at now: NIODeadline) {
        let before = table.count
        table = table.filter { $0.value.until > now }
        if table.count >= most { for key in Array(table.keys.prefix(most / 4 + 1)) { table[key] = nil } }
        count.wrappingSubtract(before - table.count, ordering: .relaxed)
    }

    /// Forgets a count's denial: something may have come back.
    func forget(_ identity: Identity, _ limit: Limit) {
        givenBack.wrappingAdd(1, ordering: .releasing)
        let key = Key(identity, limit)
        shard(of: key).denials.withLock { denials in
            if denials.removeValue(forKey: key) != nil { count.wrappingSubtract(1, ordering: .relaxed) }
        }
    }

    /// Forgets everything.
    func forgetAll() {
        givenBack.wrappingAdd(1, ordering: .releasing)
        for shard in shards {
            shard.denials.withLock { denials in
                count.wrappingSubtract(denials.count, ordering: .relaxed)
                denials = [:]
            }
        }
    }

    /// Notes that nothing was given back elsewhere that is not known here, as of an instant.
    func heard(at instant: NIODeadline) { heardAt.store(instant.uptimeNanoseconds, ordering: .relaxed) }
}

extension Charge {
    /// Whether a denial of this charge may be remembered: a slot may come back at any moment.
    fileprivate var isDeniable: Bool {
        guard effect == .take, limit.mode == .enforced else { return false }
        if case .concurrency = limit.algorithm { return false }
        return true
    }
}

extension Reading {
    /// A denial some microseconds later, with nothing charged since.
    fileprivate func later(by microseconds: Int64) -> Reading {
        var later = self
        later.retryAfter = max(1, retryAfter - microseconds)
        later.nextUnit = max(0, nextUnit - microseconds)
        later.full = max(0, full - microseconds)
        return later
    }
}
