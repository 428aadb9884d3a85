/// How many requests of a key may be under way at once: given, or learnt by going up one by one until the server objects.
struct ConcurrencyBound: Sendable {
    /// The bound now.
    private(set) var slots: Int
    /// The time for which a slot rests before it is used again: the server may see the end of an answer later than we do.
    private(set) var rest: Duration

    private let most: Int
    private let isGiven: Bool
    /// What the server named or was seen to allow; nil while nothing is known.
    private var ceiling: Int?
    private var ceilingSince: Duration = .zero
    /// Answers since the bound last changed.
    private var successes = 0

    /// After this time a ceiling that was learnt is tried again.
    private static let relearning: Duration = .seconds(600)
    private static let shortestRest: Duration = .milliseconds(2)
    private static let longestRest: Duration = .milliseconds(250)

    init(_ concurrency: PacingConfiguration.Concurrency) {
        switch concurrency {
        case .atMost(let slots):
            most = max(1, slots)
            self.slots = most
            isGiven = true
        case .learnt(let most):
            self.most = max(1, most)
            slots = 1
            isGiven = false
        }
        rest = ConcurrencyBound.shortestRest
    }

    /// The server names its bound.
    mutating func name(_ limit: Int64, at now: Duration) {
        ceiling = Int(clamping: max(1, limit))
        ceilingSince = now
        slots = min(slots, ceiling ?? slots)
    }

    /// A request was served while so many were under way.
    mutating func succeed(underway: Int, at now: Duration) {
        guard underway >= slots else { return }
        successes += 1
        guard successes >= slots else { return }
        if now - ceilingSince >= ConcurrencyBound.relearning {
            ceiling = nil
            ceilingSince = now
            rest = max(rest / 2, ConcurrencyBound.shortestRest)
        }
        slots = min(slots + 1, most, ceiling ?? .max)
        successes = 0
    }

    /// The server objected while so many were under way; it may have named its bound.
    mutating func object(underway: Int, named limit: Int64?, at now: Duration) {
        // Whoever gave a bound knows it better than a refusal that names none.
        if isGiven, limit == nil { return yield() }
        // Within the bound, a slot that had just become free here was not yet free there.
        if let ceiling, underway <= ceiling { rest = min(max(rest * 2, .milliseconds(5)), ConcurrencyBound.longestRest) }
        successes = 0
        name(limit ?? Int64(max(1, underway - 1)), at: now)
        slots = min(slots, ceiling ?? slots)
    }

    /// The server refused without a word: half as many are tried, and then more again.
    mutating func yield() {
        successes = 0
        slots = max(1, slots / 2)
    }
}
