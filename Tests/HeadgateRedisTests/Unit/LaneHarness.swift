import Headgate
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import HeadgateRedis

/// A node of one lane or more, on a loop that moves only when the test says so.
final class LaneHarness {
    let loop = EmbeddedEventLoop()
    let lanes: [Lane]
    let load = Load(.init())
    let script: RedisScript
    let node: Node
    private let channels = Changeable<[EmbeddedChannel]>([])
    private let dialError = Changeable<LimiterError?>(nil)
    private let place = Changeable<RedisEndpoint?>(nil)

    init(
        _ change: (inout RedisConfiguration) -> Void = { _ in },
        settings adjust: (inout LaneSettings) -> Void = { _ in }
    ) throws {
        var configuration = RedisConfiguration(connections: 1, clientName: "")
        change(&configuration)
        script = try RedisScript("return 1")
        let (channels, dialError, place) = (channels, dialError, place)
        let telemetry = RedisTelemetry(logger: Logger(label: "test"))
        var settings = LaneSettings(
            configuration: configuration,
            script: script,
            telemetry: telemetry,
            health: NodeHealth(name: "test", telemetry: telemetry),
            dial: { loop, handler in
                handler.value.endpoint = place.value
                if let error = dialError.value { return loop.makeFailedFuture(error) }
                guard let loop = loop as? EmbeddedEventLoop else { return loop.makeSucceededVoidFuture() }
                let channel = EmbeddedChannel(handler: handler.value, loop: loop)
                channels.change { $0.append(channel) }
                return channel.connect(to: .init(ipv4Loopback: 6379))
            },
            random: { 0.5 }
        )
        adjust(&settings)
        let loop = loop
        let final = settings
        lanes = (0..<configuration.connections).map { Lane(number: $0, settings: final, eventLoop: loop) }
        node = Node(settings: settings, lanes: lanes)
    }

    /// The connection that the test looks at: by default the newest.
    var channel: EmbeddedChannel { channels.value[chosen ?? channels.value.count - 1] }
    /// Which connection the test looks at, by the order in which they were made.
    var chosen: Int?
    var dials: Int { channels.value.count }

    /// Where connections lead from now on.
    func lead(to endpoint: RedisEndpoint) { place.value = endpoint }

    func fail(with error: LimiterError?) { dialError.value = error }

    /// Starts, and greets as Redis does.
    func start() throws {
        begin()
        try greet()
    }

    /// Starts to connect.
    func begin() {
        node.start()
        loop.run()
    }

    func greet() throws {
        #expect(try sent() == String(decoding: script.loading, as: UTF8.self))
        try receive("$40\r\n\(script.digest)\r\n")
    }

    /// What was sent since the last look; each flush one part when `flushes` are asked for.
    func sent() throws -> String { try flushes().joined() }

    func flushes() throws -> [String] {
        var texts: [String] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { texts.append(String(buffer: bytes)) }
        return texts
    }

    func receive(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
        loop.run()
    }

    /// Submits a call whose frame is its nonce, and notes its outcome.
    func call(_ nonce: Int64, within time: TimeAmount = .milliseconds(50), outcomes: Outcomes) throws -> Call {
        let call = try makeCall(nonce, within: time, outcomes: outcomes)
        node.submit(Attempt(call))
        return call
    }

    /// A call whose frame is its nonce, which notes its outcome.
    func makeCall(_ nonce: Int64, within time: TimeAmount, outcomes: Outcomes) throws -> Call {
        let share = try load.take(decisions: 1, bytes: 1)
        let frame = Array("<\(nonce)>".utf8)
        let call = Call(frame: frame, expecting: .integers(count: 2, nonce: nonce), deadline: loop.now + time, share: share)
        #expect(call.begin { outcomes.note(nonce, $0) })
        return call
    }
}

/// What became of calls, by nonce.
final class Outcomes: Sendable {
    private let names = Changeable<[Int64: String]>([:])

    func note(_ nonce: Int64, _ answer: Call.Answer) {
        let name =
            switch answer {
            case .success: "ok"
            case .failure(let error): "\(error.code) \(error.charge)"
            }
        names.change { $0[nonce] = name }
    }

    subscript(_ nonce: Int64) -> String { names.value[nonce] ?? "waits" }
}

extension SocketAddress {
    fileprivate init(ipv4Loopback port: Int) {
        do { self = try SocketAddress(ipAddress: "127.0.0.1", port: port) } catch { preconditionFailure("\(error)") }
    }
}
