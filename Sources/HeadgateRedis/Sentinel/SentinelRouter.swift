internal import Headgate
internal import NIOCore

/// The master that sentinels name: asked for at each connect, and left when they name another one.
final class SentinelRouter: Router {
    let master: Node
    private let finder: MasterFinder
    private let settings: RedisSentinels
    private let dialer: Dialer
    private let group: any EventLoopGroup

    /// - Parameters:
    ///   - settings: The sentinels.
    ///   - lanes: What the master's lanes are to be; how they dial is set here.
    ///   - dialer: Opens channels to the master.
    ///   - sentinelDialer: Opens channels to sentinels.
    ///   - group: Whose threads carry the connections.
    /// - Throws: ``LimiterError/Code/badRequest`` when the master's name is too long for a command.
    init(
        _ settings: RedisSentinels,
        lanes: LaneSettings,
        dialer: Dialer,
        sentinelDialer: Dialer,
        group: any EventLoopGroup
    ) throws(LimiterError) {
        let finder = try MasterFinder(
            settings,
            settings.endpoints.map { endpoint in
                Node(settings: lanes.ofSentinel(at: endpoint, settings, dial: sentinelDialer.lane(to: endpoint)), group: group)
            }
        )
        var lanes = lanes
        lanes.isMasterOnly = true
        lanes.dial = { eventLoop, handler in
            finder.find(on: eventLoop).flatMap { endpoint in
                handler.value.endpoint = endpoint
                return dialer.dial(endpoint, on: eventLoop) { try $0.addHandler(handler.value) }.map { _ in }
            }
        }
        master = Node(settings: lanes, group: group)
        self.finder = finder
        self.settings = settings
        self.dialer = sentinelDialer
        self.group = group
    }

    var now: NIODeadline { master.now }
    var nodes: [Node] { [master] }

    func submit(_ attempt: Attempt) { master.submit(attempt) }

    func submit(_ attempt: Attempt, behind other: Call?) { master.submit(attempt, behind: other) }

    func start() {
        finder.start()
        master.start()
    }

    func stop(by limit: NIODeadline) async {
        await master.stop(by: limit)
        await finder.stop(by: now)
    }
}

// MARK: Following the master

extension SentinelRouter {
    /// The shortest time between two questions, whatever is announced.
    private static let spacing: Duration = .milliseconds(20)
    /// How long to wait before a sentinel is listened to again.
    private static let listenAgain: Duration = .seconds(1)

    /// Asks where the master is, by and by and whenever a sentinel announces something, and leaves a master that is none any more.
    func watch() async {
        let (reasons, reason) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withDiscardingTaskGroup { group in
            for endpoint in settings.endpoints {
                group.addTask { await self.listen(to: endpoint) { reason.yield() } }
            }
            group.addTask {
                while (try? await Task.sleep(for: self.settings.pollInterval)) != nil { reason.yield() }
            }
            for await _ in reasons {
                if let endpoint = try? await finder.find(on: self.group.any()).get() { master.move(to: endpoint) }
                guard (try? await Task.sleep(for: SentinelRouter.spacing)) != nil else { break }
            }
        }
    }

    private func listen(to endpoint: RedisEndpoint, _ announced: @escaping @Sendable () -> Void) async {
        repeat {
            if let channel = try? await subscribe(to: endpoint, announced).get() {
                announced()
                await withTaskCancellationHandler {
                    _ = try? await channel.closeFuture.get()
                } onCancel: {
                    channel.close(promise: nil)
                }
            }
        } while (try? await Task.sleep(for: SentinelRouter.listenAgain)) != nil
    }

    private func subscribe(to endpoint: RedisEndpoint, _ announced: @escaping @Sendable () -> Void) -> EventLoopFuture<any Channel> {
        let eventLoop = group.any()
        return eventLoop.flatSubmit { [dialer, settings] in
            dialer.dial(endpoint, on: eventLoop) { pipeline in
                // Made when the channel stands: by then the file with the password has been read.
                let login = try settings.credentials?.current.map { try CommandArguments($0.command).framed() } ?? []
                let subscription = try CommandArguments(["SUBSCRIBE", "+switch-master"]).framed()
                try pipeline.addHandler(Announcements(greeting: login + subscription, announced: announced))
            }
        }
    }
}

extension LaneSettings {
    /// The settings of a lane to a sentinel, which knows no scripts and no databases.
    fileprivate func ofSentinel(at endpoint: RedisEndpoint, _ sentinels: RedisSentinels, dial: @escaping Dial) -> LaneSettings {
        var settings = self
        settings.configuration.credentials = sentinels.credentials
        settings.configuration.database = 0
        settings.configuration.connections = 1
        settings.configuration.deadline = sentinels.answerTimeout
        if settings.configuration.clientName.isEmpty { settings.configuration.clientName = "headgate" }
        settings.script = nil
        settings.calls = nil
        settings.probe = { node in
            guard let frame = try? CommandArguments(["PING"]).framed(),
                let share = try? node.settings.ownLoad.take(decisions: 0, bytes: frame.count)
            else { return nil }
            return Call(frame: frame, expecting: .anything, deadline: node.now + Breaker.probeInterval, share: share)
        }
        settings.health = NodeHealth(name: "sentinel \(endpoint)", telemetry: telemetry)
        settings.dial = dial
        return settings
    }
}
