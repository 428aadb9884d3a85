internal import Headgate
internal import NIOCore

extension ClusterRouter {
    /// The shortest and longest wait before a call whose keys are being moved is tried again.
    private static let tryAgain: ClosedRange<Int64> = 5...20

    /// Takes a call that a node does not serve on to where the node sends it.
    func redirect(_ attempt: Attempt, _ fault: RedisFault, from place: RedisEndpoint?) {
        telemetry.redirected(fault.kind)
        switch fault.kind {
        case .moved: follow(attempt, fault, from: place, asking: false)
        case .ask: follow(attempt, fault, from: place, asking: true)
        case .tryAgain: wait(attempt, fault, at: place)
        default:
            refresh()
            attempt.call.finish(.failure(fault.scriptError))
        }
    }

    private func follow(_ attempt: Attempt, _ fault: RedisFault, from place: RedisEndpoint?, asking: Bool) {
        if !asking { refresh() }
        guard let redirect = Redirect(fault.text) else {
            let error = LimiterError(.clusterDown, "a node of the cluster sends calls to no place that can be connected to")
            return attempt.call.finish(.failure(error))
        }
        let host = redirect.host.isEmpty ? place?.host ?? "" : redirect.host
        guard settings.allows(host) else {
            let error = LimiterError(.clusterDown, "a node of the cluster sends calls to a host that the configuration does not allow")
            return attempt.call.finish(.failure(error))
        }
        guard let next = attempt.redirected(asking: asking) else {
            let error = LimiterError(.tooManyRedirects, "the nodes of the cluster sent a call on \(Attempt.mostRedirects) times")
            return attempt.call.finish(.failure(error))
        }
        let endpoint = RedisEndpoint.host(host, port: redirect.port)
        guard let node = node(at: endpoint) else {
            let error = LimiterError(.clusterDown, "the nodes of the cluster name too many others, or the Redis store is shut down")
            return attempt.call.finish(.failure(error))
        }
        if !asking { move(redirect.slot, to: endpoint) }
        node.submit(next)
    }

    /// Some of the call's keys have moved already and some have not: soon they all have.
    private func wait(_ attempt: Attempt, _ fault: RedisFault, at place: RedisEndpoint?) {
        let wait = TimeAmount.milliseconds(.random(in: ClusterRouter.tryAgain))
        guard now + wait < attempt.call.deadline else { return attempt.call.finish(.failure(fault.scriptError)) }
        group.any().scheduleTask(in: wait) {
            // One whose caller has gone meanwhile is dropped where it is sent.
            if let place, let node = self.node(at: place) { node.submit(attempt) } else { self.submit(attempt) }
        }
    }
}
