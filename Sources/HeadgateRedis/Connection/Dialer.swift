internal import Headgate
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Opens channels to Redis servers and sentinels: reads the files that this needs, looks up names, and puts TLS in.
///
/// All of that happens anew at each call, so that what was rotated or moved is found. All addresses of a name are tried.
struct Dialer: Sendable {
    let timeout: TimeAmount
    /// The part of it that looking up a name may take.
    var lookUpTimeout: TimeAmount { .nanoseconds(timeout.nanoseconds * 3 / 4) }
    let encryption: Encryption?
    let passwordFile: PasswordFile?

    init(_ configuration: RedisConfiguration, credentials: RedisCredentials?, encryption: Encryption?) {
        timeout = TimeAmount(configuration.connectTimeout)
        self.encryption = encryption
        passwordFile = credentials?.file
    }

    /// Opens a channel and has handlers added to it.
    ///
    /// They are added when the channel stands: of the channels to several addresses only one gets them.
    func dial(
        _ endpoint: RedisEndpoint,
        on eventLoop: any EventLoop,
        _ add: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        read(on: eventLoop).flatMap { context in
            channel(to: endpoint, on: eventLoop).flatMapThrowing { channel in
                let pipeline = channel.pipeline.syncOperations
                if let context { try encryption?.add(context, to: pipeline, host: endpoint.host) }
                try add(pipeline)
                return channel
            }
        }
    }

    /// Opens a lane's channel to a place that stays.
    func lane(to endpoint: RedisEndpoint) -> LaneSettings.Dial {
        { eventLoop, handler in
            handler.value.endpoint = endpoint
            return dial(endpoint, on: eventLoop) { try $0.addHandler(handler.value) }.map { _ in }
        }
    }

    /// Reads the files away from the event loop.
    private func read(on eventLoop: any EventLoop) -> EventLoopFuture<NIOSSLContext?> {
        guard encryption != nil || passwordFile != nil else { return eventLoop.makeSucceededFuture(nil) }
        return HostResolver.shared.run(on: eventLoop) {
            passwordFile?.read()
            return try encryption?.context()
        }
    }

    private func channel(to endpoint: RedisEndpoint, on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(timeout)
        switch endpoint {
        case .unixSocket(let path):
            return bootstrap.connect(unixDomainSocketPath: path)
        case .host(let name, let port):
            let bootstrap = TCPOptions.apply(to: bootstrap)
            // An address needs no resolver, and no thread of its own.
            if let address = try? SocketAddress(ipAddress: name, port: port) { return bootstrap.connect(to: address) }
            let addresses = HostResolver.shared.addresses(of: name, port: port, on: eventLoop).within(lookUpTimeout, on: eventLoop)
            return addresses.assumeIsolated().flatMap { addresses in
                bootstrap.resolver(KnownAddresses(addresses: addresses, eventLoop: eventLoop)).connect(host: name, port: port)
            }.nonisolated()
        }
    }
}

extension EventLoopFuture where Value: Sendable {
    /// The same, or ``LimiterError/Code/dns`` when it takes too long.
    fileprivate func within(_ timeout: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<Value> {
        let promise = eventLoop.makePromise(of: Value.self)
        let end = eventLoop.scheduleTask(in: timeout) {
            promise.fail(LimiterError(.dns, "the name of the Redis host was not resolved in time: no name server answers"))
        }
        whenComplete { result in
            end.cancel()
            promise.completeWith(result)
        }
        return promise.futureResult
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
