internal import Headgate
internal import NIOCore

extension RedisConfiguration {
    /// What brings calls to the servers of this configuration.
    func router(_ calls: CallMaker, telemetry: RedisTelemetry, group: any EventLoopGroup) throws(LimiterError) -> any Router {
        let encryption = tls.map { Encryption($0, telemetry: telemetry) }
        let dialer = Dialer(self, credentials: credentials, encryption: encryption)
        switch topology {
        case .standalone(let endpoint):
            var lanes = lanes(calls, telemetry, name: "\(endpoint)", dial: dialer.lane(to: endpoint))
            lanes.isMasterOnly = true
            return Node(settings: lanes, endpoint: endpoint, group: group)
        case .sentinel(let sentinels):
            let lanes = lanes(calls, telemetry, name: sentinels.master, dial: { loop, _ in loop.makeSucceededVoidFuture() })
            return try SentinelRouter(
                sentinels,
                lanes: lanes,
                dialer: dialer,
                sentinelDialer: Dialer(self, credentials: sentinels.credentials, encryption: encryption),
                group: group
            )
        case .cluster(let cluster):
            return ClusterRouter(cluster, telemetry: telemetry, group: group) { place, router in
                var lanes = lanes(calls, telemetry, name: "\(place)", dial: dialer.lane(to: place))
                lanes.redirected = { [weak router] attempt, fault, place in
                    guard let router else { return attempt.call.finish(.failure(fault.scriptError)) }
                    router.redirect(attempt, fault, from: place)
                }
                lanes.left = { [weak router] attempt in
                    guard let router else { return attempt.call.finish(.failure(LaneCore.closed)) }
                    router.submit(attempt)
                }
                lanes.troubled = { [weak router] in router?.refresh() }
                lanes.probe = { [weak router] node in
                    router?.tag(of: node).flatMap { calls.probe(tag: $0, by: .now() + Breaker.probeInterval) }
                }
                return Node(settings: lanes, endpoint: place, group: group)
            }
        }
    }

    private func lanes(
        _ calls: CallMaker,
        _ telemetry: RedisTelemetry,
        name: String,
        dial: @escaping LaneSettings.Dial
    ) -> LaneSettings {
        var lanes = LaneSettings(
            configuration: self,
            script: calls.script,
            telemetry: telemetry,
            health: NodeHealth(
                name: name,
                telemetry: telemetry,
                unfitness: strictBackend ? LimiterError(.unsafeEviction, "it is not known yet whether the server may evict counts") : nil
            ),
            dial: dial
        )
        lanes.calls = calls
        lanes.probe = { _ in calls.probe(tag: KeySpace.ownName, by: .now() + Breaker.probeInterval) }
        return lanes
    }
}
