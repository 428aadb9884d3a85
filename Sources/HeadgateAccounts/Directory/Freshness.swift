/// Whether what a cache holds may be used, by how lately the changes were heard of: pure arithmetic over instants.
struct Freshness: Sendable {
    /// When the last look at the changes that succeeded was begun.
    var heardAt: ContinuousClock.Instant?
    /// When Redis last gave no answer.
    var failedAt: ContinuousClock.Instant?
    /// How old an entry may be while changes are heard of.
    var most: Duration = .seconds(30)

    /// How often the changes are looked at.
    static let interval: Duration = .milliseconds(200)
    /// After so long without hearing of changes, the cache's age is what bounds staleness.
    static let silence: Duration = .milliseconds(500)
    /// How old an entry may be while changes are not heard of.
    static let mostBlind: Duration = .milliseconds(400)
    /// How old an entry may be while Redis is away: longer, a key that may have been revoked opens nothing.
    static let mostAway: Duration = .seconds(300)
    /// How long Redis is not asked again after it gave no answer, where an old entry can serve.
    static let pause: Duration = .milliseconds(500)

    /// What to do with an entry.
    enum Use: Sendable, Hashable {
        /// Use it.
        case use
        /// Use it, and let one caller read it anew.
        case useAndRefresh
        /// Read it anew; use it if Redis is away.
        case reload
        /// Read it anew; it is too old to be used.
        case readAnew
    }

    func use(of readAt: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Use {
        let age = readAt.duration(to: now)
        if let heardAt, heardAt.duration(to: now) <= Freshness.silence {
            return age <= most ? .use : age <= most * 2 ? .useAndRefresh : .reload
        }
        if age <= Freshness.mostBlind { return .use }
        if age > Freshness.mostAway { return .readAnew }
        if let failedAt, failedAt.duration(to: now) <= Freshness.pause { return .use }
        return .reload
    }
}
