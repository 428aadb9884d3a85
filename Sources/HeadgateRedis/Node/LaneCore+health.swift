internal import Headgate
internal import NIOCore

extension LaneCore {
    /// Notes that the node gave no answer that it should have given.
    func nodeFailed(_ error: LimiterError) {
        node?.failed(error)
        settings.troubled()
    }

    /// Tries a few times a second whether the node serves again, until it does.
    func beginProbing() {
        guard probesAt == nil, stopping == nil else { return }
        scheduleProbe()
        rearm()
    }

    func probeIfDue(at now: NIODeadline) {
        guard let due = probesAt, due <= now else { return }
        probesAt = nil
        guard settings.health.refusal != nil, stopping == nil else { return }
        node?.probe()
        scheduleProbe()
    }

    private func scheduleProbe() {
        let jitter = Double(Breaker.probeJitter.nanoseconds) * settings.random()
        probesAt = eventLoop.now + Breaker.probeInterval + .nanoseconds(Int64(jitter))
    }

    /// Leaves the connection unless it leads to this place: the server there is not to be asked any more.
    ///
    /// Failures at the old place say nothing of the new one: whoever waits because of them dials at once.
    func move(to endpoint: RedisEndpoint) {
        guard let place = connection == nil ? lastPlace : connection?.endpoint, place != endpoint, stopping == nil else { return }
        connection?.end(LimiterError(.readOnly, "the master has moved to another server"))
        lastPlace = nil
        perform(reconnection.moved())
        rearm()
    }
}
