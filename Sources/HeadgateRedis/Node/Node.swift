internal import Headgate
internal import NIOCore

/// One Redis server with its few connections.
final class Node: Sendable {
    private let lanes: [Lane]

    init(lanes: [Lane]) { self.lanes = lanes }

    convenience init(settings: LaneSettings, group: any EventLoopGroup) {
        self.init(
            lanes: (0..<settings.configuration.connections).map { Lane(number: $0, settings: settings, eventLoop: group.next()) }
        )
    }

    /// The time by which deadlines are measured.
    var now: NIODeadline { lanes[0].now }

    /// Whether a connection other than this lane's stands.
    func isUp(besides number: Int) -> Bool {
        lanes.contains { $0.number != number && $0.isUp }
    }

    /// Gives a call to the first connection that stands; to the leader, which dials, when there is none.
    ///
    /// One connection carries more than a Redis can decide, and in larger batches than several would. The others stand by.
    func submit(_ attempt: Attempt) {
        (lanes.first { $0.isUp } ?? lanes[0]).submit(attempt)
    }

    /// Gives a call to the lane that had another one before, so that they reach Redis in order while its connection stands.
    func submit(_ attempt: Attempt, behind other: Call?) {
        guard let lane = other.map({ lanes[$0.lane] }), lane.isUp else { return submit(attempt) }
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
}
