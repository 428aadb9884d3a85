import Headgate
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import HeadgateRedis

/// A cluster's router whose nodes are embedded channels, on a loop that moves only when the test says so.
final class ClusterHarness {
    static let seed = RedisEndpoint.host("10.0.0.1", port: 1)
    static let second = RedisEndpoint.host("10.0.0.2", port: 1)
    static let third = RedisEndpoint.host("10.0.0.3", port: 1)

    let loop = EmbeddedEventLoop()
    let router: ClusterRouter
    let load = Load(.init())
    let outcomes = Outcomes()
    private let script: RedisScript
    private let channels = Changeable<[RedisEndpoint: EmbeddedChannel]>([:])

    init(allowing allowed: [String] = []) throws {
        script = try RedisScript("return 1")
        let telemetry = RedisTelemetry(logger: Logger(label: "test"))
        let (script, loop, channels) = (script, loop, channels)
        router = ClusterRouter(RedisCluster([Self.seed], allowedHosts: allowed), telemetry: telemetry, group: loop) { place, router in
            var settings = LaneSettings(
                configuration: RedisConfiguration(connections: 1, clientName: ""),
                script: script,
                telemetry: telemetry,
                health: NodeHealth(name: "\(place)", telemetry: telemetry),
                dial: { loop, handler in
                    handler.value.endpoint = place
                    guard let loop = loop as? EmbeddedEventLoop else { return loop.makeSucceededVoidFuture() }
                    let channel = EmbeddedChannel(handler: handler.value, loop: loop)
                    channels.change { $0[place] = channel }
                    let address = Result { try SocketAddress(ipAddress: "127.0.0.1", port: 1) }
                    return loop.makeCompletedFuture(address).flatMap { channel.connect(to: $0) }
                },
                random: { 0.5 }
            )
            settings.redirected = { [weak router] in router?.redirect($0, $1, from: $2) }
            settings.left = { [weak router] in router?.submit($0) }
            return Node(settings: settings, endpoint: place, lanes: [Lane(number: 0, settings: settings, eventLoop: loop)])
        }
    }

    /// A map of ranges of slots.
    static func map(_ ranges: [(Int64, Int64, RedisEndpoint)]) throws -> SlotMap {
        try SlotMap(.array(ranges.map { SlotTests.entry($0.0, $0.1, $0.2.host, 1) }), askedAt: "")
    }

    /// Starts with three nodes that are connected: slots below 5,000, below 10,000, and the others.
    func start() throws {
        router.start()
        router.take(try Self.map([(0, 4_999, Self.seed), (5_000, 9_999, Self.second), (10_000, 16_383, Self.third)]))
        loop.run()
        for place in [Self.seed, Self.second, Self.third] { try greet(place) }
    }

    var places: Set<RedisEndpoint> { Set(channels.value.keys) }

    /// Greets as Redis does.
    func greet(_ place: RedisEndpoint) throws {
        loop.run()
        _ = try sent(to: place)
        try receive("$40\r\n\(script.digest)\r\n", from: place)
    }

    func sent(to place: RedisEndpoint) throws -> String {
        let channel = try #require(channels.value[place])
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    func receive(_ text: String, from place: RedisEndpoint) throws {
        try #require(channels.value[place]).writeInbound(ByteBuffer(string: text))
        loop.run()
    }

    /// Submits a call whose frame is its nonce.
    func call(_ nonce: Int64, slot: Int, by deadline: NIODeadline = .distantFuture) throws {
        let share = try load.take(decisions: 1, bytes: 1)
        let frame = Array("<\(nonce)>".utf8)
        let call = Call(frame: frame, expecting: .integers(count: 2, nonce: nonce), deadline: deadline, slot: slot, share: share)
        let outcomes = outcomes
        #expect(call.begin { outcomes.note(nonce, $0) })
        router.submit(Attempt(call))
        loop.run()
    }

    func answer(_ nonce: Int64, from place: RedisEndpoint) throws { try receive("*2\r\n:\(nonce)\r\n:0\r\n", from: place) }
}
