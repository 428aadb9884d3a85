internal import Headgate
internal import NIOCore

/// One Redis server with its few connections and its breaker.
final class Node: Router {
    let settings: LaneSettings
    /// Where the node is; `nil` when that changes.
    let endpoint: RedisEndpoint?
    private let lanes: [Lane]

    init(settings: LaneSettings, endpoint: RedisEndpoint? = nil, lanes: [Lane]) {
        self.settings = settings
        self.endpoint = endpoint
        self.lanes = lanes
    }

    convenience init(settings: LaneSettings, endpoint: RedisEndpoint? = nil, group: any EventLoopGroup) {
        self.init(
            settings: settings,
            endpoint: endpoint,
            lanes: (0..<settings.configuration.connections).map { Lane(number: $0, settings: settings, eventLoop: group.next()) }
        )
    }

    var nodes: [Node] { [self] }

    /// The time by which deadlines are measured.
    var now: NIODeadline { lanes[0].now }

    /// Whether a connection stands.
    var isUp: Bool { lanes.contains { $0.isUp } }

    /// Whether the node is to be asked at all.
    var isWell: Bool { isUp && settings.health.refusal == nil }

    /// Whether a connection other than this lane's stands.
    func isUp(besides number: Int) -> Bool {
        lanes.contains { $0.number != number && $0.isUp }
    }

    /// Gives a call to the first connection that stands; to the leader, which dials, when there is none.
    ///
    /// One connection carries more than a Redis can decide, and in larger batches than several would. The others stand by.
    func submit(_ attempt: Attempt) {
        // A server that refuses what the script writes may still tell what others ask for.
        if let refusal = settings.health.refusal, attempt.call.isOfScript || !refusal.code.isRefusalOfWrites {
            return attempt.call.finish(.failure(refusal))
        }
        (lanes.first { $0.isUp } ?? lanes[0]).submit(attempt)
    }

    /// Gives a call to the lane that had another one before, so that they reach Redis in order while its connection stands.
    func submit(_ attempt: Attempt, behind other: Call?) {
        guard let lane = other?.lane, lane.isUp else { return submit(attempt) }
        lane.submit(attempt)
    }

    /// Begins to connect.
    func start() {
        for lane in lanes { lane.start(in: self) }
    }

    /// Takes no more calls, answers those under way until `limit`, and closes all connections.
    func stop(by limit: NIODeadline) async {
        for stopped in lanes.map({ $0.stop(by: limit) }) {
            // The lanes' futures never fail; if the event loops are gone, so are the connections.
            try? await stopped.get()
        }
    }

    /// Closes the connections of a node that is not needed any more, once what was sent is answered.
    ///
    /// Calls that were not sent, and those that still come, go on elsewhere.
    func retire() {
        for lane in lanes { lane.retire() }
    }
}

// MARK: Health

extension Node {
    /// Notes that a call found no answer, and begins to probe when that opens the breaker.
    func failed(_ error: LimiterError) {
        if settings.health.failed(error, at: now) { lanes[0].beginProbing() }
    }

    /// Tries whether the node makes decisions, over a connection that stands; whatever it answers, its breaker hears of it.
    func probe() {
        guard let lane = lanes.first(where: { $0.isUp }), let call = settings.probe(self), call.begin(nil) else { return }
        lane.submit(Attempt(call))
    }

    /// Sends a command to this very node, its breaker open or not, and waits for the reply.
    ///
    /// - Throws: ``LimiterError``.
    func ask(_ arguments: [String], within time: TimeAmount) async throws(LimiterError) -> RedisValue {
        let frame = try CommandArguments(arguments).framed()
        let share = try settings.ownLoad.take(decisions: 0, bytes: frame.count)
        return try await ask(Call(frame: frame, expecting: .anything, deadline: now + time, share: share)).value
    }

    /// Sends a call to this very node, its breaker open or not, and waits for the reply.
    ///
    /// - Throws: ``LimiterError``.
    func ask(_ call: Call) async throws(LimiterError) -> RedisReply {
        let answer = await call.answer { [lanes] attempt in (lanes.first { $0.isUp } ?? lanes[0]).submit(attempt) }
        return try answer.get()
    }

    /// Leaves the connections that lead elsewhere.
    func move(to endpoint: RedisEndpoint) {
        for lane in lanes { lane.move(to: endpoint) }
    }
}
