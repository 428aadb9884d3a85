import NIOCore
import NIOPosix
import Testing

/// An upstream whose every byte the test writes.
struct RawServer: Sendable {
    let port: Int
    private let listener: any Channel
    private let peers: AsyncStream<Peer>

    /// Runs a body with a server on a free port.
    static func run<Result>(keepsText: Bool = true, _ body: (RawServer) async throws -> Result) async throws -> Result {
        let (peers, source) = AsyncStream<Peer>.makeStream()
        let listener = try await ServerBootstrap(group: Peer.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = Peer(channel, keepsText: keepsText)
                    try channel.pipeline.syncOperations.addHandler(PeerHandler(peer))
                    source.yield(peer)
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let port = try #require(listener.localAddress?.port)
        do {
            let result = try await body(RawServer(port: port, listener: listener, peers: peers))
            try await listener.close().get()
            return result
        } catch {
            try await listener.close().get()
            throw error
        }
    }

    /// The next connection.
    func accept(within patience: Duration = .seconds(10), _ location: SourceLocation = #_sourceLocation) async throws -> Peer {
        try await withThrowingTaskGroup(of: Peer?.self) { group in
            group.addTask { await peers.first { _ in true } }
            group.addTask {
                try await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            return try #require(try await group.next() ?? nil, "no connection came", sourceLocation: location)
        }
    }

    /// The next connection, once it has sent a head.
    func request(_ location: SourceLocation = #_sourceLocation) async throws -> Peer {
        let peer = try await accept(location)
        try await peer.wait(for: "\r\n\r\n", location)
        return peer
    }
}
