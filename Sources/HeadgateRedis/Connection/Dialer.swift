internal import Headgate
internal import NIOCore
internal import NIOPosix

/// Opens channels to an endpoint.
///
/// A host's name is resolved anew at each call, and all its addresses are tried.
struct Dialer: Sendable {
    let endpoint: RedisEndpoint
    let timeout: TimeAmount

    /// Opens a channel and puts the handler into it.
    ///
    /// The handler is added when the channel stands: of the channels to several addresses only one gets it.
    func dial(on eventLoop: any EventLoop, _ handler: NIOLoopBound<ConnectionHandler>) -> EventLoopFuture<Void> {
        channel(on: eventLoop).flatMapThrowing { channel in
            try channel.pipeline.syncOperations.addHandler(handler.value)
        }
    }

    private func channel(on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(timeout)
        switch endpoint {
        case .unixSocket(let path):
            return bootstrap.connect(unixDomainSocketPath: path)
        case .host(let name, let port):
            let bootstrap = TCPOptions.apply(to: bootstrap)
            // An address needs no resolver, and no thread of its own.
            if let address = try? SocketAddress(ipAddress: name, port: port) { return bootstrap.connect(to: address) }
            return bootstrap.connect(host: name, port: port)
        }
    }
}

/// What makes the kernel notice a peer that has gone; NIO sets TCP_NODELAY by itself.
enum TCPOptions {
    static func apply(to bootstrap: ClientBootstrap) -> ClientBootstrap {
        let bootstrap = bootstrap.channelOption(.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
        // linux/tcp.h; TCP_USER_TIMEOUT is in milliseconds: unacknowledged bytes end the connection after 2 seconds.
        let seconds: [(name: CInt, value: ChannelOptions.Types.SocketOption.Value)] = [(4, 15), (5, 5), (6, 3), (18, 2_000)]
        return seconds.reduce(bootstrap) { bootstrap, option in
            bootstrap.channelOption(.tcpOption(.init(rawValue: option.name)), value: option.value)
        }
        #else
        return bootstrap
        #endif
    }
}
