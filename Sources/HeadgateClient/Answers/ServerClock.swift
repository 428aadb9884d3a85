/// How far a server's clock is from ours, as its `Date` fields tell.
///
/// `Date` has whole seconds, and some servers write one that is up to a second old. Each answer bounds the difference from both sides;
/// together they narrow it. While no difference at all is within the bounds the local clock is believed as it is, so that the
/// seconds' rounding costs nothing.
struct ServerClock: Sendable {
    /// The least that is to be added to the local time.
    private var least: Duration?
    /// The most that is to be added to the local time.
    private var most: Duration?

    /// What is to be added to the local time to have the server's: of all that is possible, the nearest to nothing.
    var correction: Duration {
        guard let least, let most else { return .zero }
        return least > .zero ? least : most < .zero ? most : .zero
    }

    /// Learns from an answer that came to a request; times are since the epoch by the local clock.
    mutating func observe(date second: Int64, sent: Duration, received: Duration) {
        let least = Duration.seconds(second) - received
        let most = Duration.seconds(second + 2) - sent
        guard let oldLeast = self.least, let oldMost = self.most, max(oldLeast, least) <= min(oldMost, most) else {
            // The first one, or a clock was set: what was known is void.
            self.least = least
            self.most = most
            return
        }
        self.least = max(oldLeast, least)
        self.most = min(oldMost, most)
    }

    /// The time until an epoch second of the server, from a local time on; zero when it has passed.
    func time(until epochSecond: Double, from now: Duration) -> Duration {
        let delta = epochSecond - (now + correction) / .seconds(1)
        return FieldText.seconds(delta) ?? .zero
    }
}
