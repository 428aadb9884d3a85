import NIOCore
import NIOPosix
import Synchronization
import Testing

/// One end of a TCP connection, which a test reads and writes as bytes.
final class Peer: Sendable {
    private struct State {
        var text = ""
        var count = 0
        var poured = 0
        var isEnded = false
        var isReset = false
        var isKept = true
    }

    /// A thread of its own, as if the peers were other processes.
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let channel: any Channel
    private let state = Mutex(State())

    init(_ channel: any Channel, keepsText: Bool = true) {
        self.channel = channel
        state.withLock { $0.isKept = keepsText }
    }

    /// Connects to a port of this machine.
    static func connect(to port: Int, keepsText: Bool = true) async throws -> Peer {
        let channel = try await ClientBootstrap(group: Peer.group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port)
            .get()
        let peer = Peer(channel, keepsText: keepsText)
        try await channel.pipeline.addHandler(PeerHandler(peer)).get()
        return peer
    }

    /// What has come so far.
    var text: String { state.withLock { $0.text } }

    /// As many bytes as have come.
    var count: Int { state.withLock { $0.count } }

    /// Whether the other side sends no more, or the connection is gone.
    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Whether the other side has torn the connection down.
    var isReset: Bool { state.withLock { $0.isReset } }

    func send(_ text: String) { send(ByteBuffer(string: text)) }

    func send(_ bytes: ByteBuffer) { channel.writeAndFlush(bytes, promise: nil) }

    /// Writes so many bytes, each part when the one before is sent.
    func pour(_ size: Int) {
        let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: min(size, 1 << 16))
        guard size > 0 else { return }
        channel.writeAndFlush(part).whenSuccess { [channel] in
            self.state.withLock { $0.poured += part.readableBytes }
            channel.eventLoop.execute { self.pour(size - part.readableBytes) }
        }
    }

    /// As many bytes as were poured.
    var poured: Int { state.withLock { $0.poured } }

    /// Closes this side, and goes on reading.
    func halfClose() { channel.close(mode: .output, promise: nil) }

    func close() { channel.close(promise: nil) }

    /// Stops reading, so that the other side can write only what the kernel takes.
    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    func goOn() {
        channel.setOption(.autoRead, value: true).whenSuccess { [channel] in channel.read() }
    }

    /// Waits until what has come looks as it should.
    @discardableResult
    func wait(
        for what: String = "",
        within patience: Duration = .seconds(10),
        _ location: SourceLocation = #_sourceLocation,
        until isDone: (Peer) -> Bool
    ) async throws -> String {
        let end = ContinuousClock.now + patience
        while !isDone(self) {
            guard ContinuousClock.now < end else {
                Issue.record("waited in vain for \(what); has \(text.debugDescription), ended: \(isEnded)", sourceLocation: location)
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        return text
    }

    /// Waits until a text has come.
    @discardableResult
    func wait(
        for part: String,
        within patience: Duration = .seconds(10),
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        try await wait(for: part, within: patience, location) { $0.text.contains(part) }
    }

    /// Waits until the connection has ended.
    @discardableResult
    func waitForEnd(within patience: Duration = .seconds(10), _ location: SourceLocation = #_sourceLocation) async throws -> String {
        try await wait(for: "the end", within: patience, location) { $0.isEnded }
    }

    func received(_ bytes: ByteBuffer) {
        state.withLock { state in
            state.count += bytes.readableBytes
            if state.isKept { state.text += String(buffer: bytes) }
        }
    }

    func ended(isReset: Bool = false) {
        state.withLock { state in
            state.isEnded = true
            if isReset { state.isReset = true }
        }
    }
}

/// Hands what comes to its peer.
final class PeerHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let peer: Peer

    init(_ peer: Peer) { self.peer = peer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { peer.received(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { peer.ended() }
    }

    func channelInactive(context: ChannelHandlerContext) { peer.ended() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { peer.ended(isReset: true) }
}
