internal import Headgate
internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import Synchronization

/// Puts TLS into channels, by files that are read anew now and then: a rotated certificate needs no restart.
final class Encryption: Sendable {
    /// How long what was read from the files is used; a failed handshake makes them be read again at once.
    private static let freshness: TimeAmount = .seconds(30)

    private let settings: RedisTLS
    private let telemetry: RedisTelemetry
    private let known = Mutex<(context: NIOSSLContext, readAt: NIODeadline)?>(nil)

    init(_ settings: RedisTLS, telemetry: RedisTelemetry) {
        self.settings = settings
        self.telemetry = telemetry
        telemetry.verifiesServers(!settings.insecureSkipsVerification)
    }

    /// The context that the files make; may block.
    func context() throws(LimiterError) -> NIOSSLContext {
        let now = NIODeadline.now()
        if let known = known.withLock({ $0 }), now - known.readAt < Encryption.freshness { return known.context }
        let context: NIOSSLContext
        do {
            context = try NIOSSLContext(configuration: configuration())
        } catch {
            throw LimiterError(.tls, "the TLS settings for Redis cannot be used: \(Encryption.reason(error))", cause: error)
        }
        known.withLock { $0 = (context, now) }
        return context
    }

    /// Forgets what was read: it did not lead to a connection.
    func forget() { known.withLock { $0 = nil } }

    /// Puts TLS into a channel to a host, and watches its handshake.
    func add(_ context: NIOSSLContext, to pipeline: ChannelPipeline.SynchronousOperations, host: String?) throws {
        // An address is no name to be sent; NIOSSL then checks the certificate against the address that it is connected to.
        let name = settings.serverName ?? host.flatMap { (try? SocketAddress(ipAddress: $0, port: 0)) == nil ? $0 : nil }
        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
        try pipeline.addHandler(HandshakeWatch(encryption: self, telemetry: telemetry))
    }

    private func configuration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if settings.insecureSkipsVerification { configuration.certificateVerification = .none }
        if let file = settings.authorityFile {
            let authorities = try Encryption.reading(file) { try NIOSSLCertificate.fromPEMFile($0) }
            configuration.trustRoots = .certificates(authorities)
        }
        if let certificateFile = settings.certificateFile, let keyFile = settings.keyFile {
            let chain = try Encryption.reading(certificateFile) { try NIOSSLCertificate.fromPEMFile($0) }
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(try Encryption.reading(keyFile) { try NIOSSLPrivateKey(file: $0, format: .pem) })
            if let own = chain.first { telemetry.certificate(of: "client", endsAt: Int(own.notValidAfter)) }
        }
        return configuration
    }

    private static func reading<Value>(_ file: String, _ read: (String) throws -> Value) throws -> Value {
        do {
            return try read(file)
        } catch {
            throw LimiterError(.tls, "the file \(file) cannot be read as PEM", cause: error)
        }
    }

    /// What went wrong, without the places in a library's source that its messages name.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as LimiterError: return error.message
        case NIOSSLError.handshakeFailed(let error): return reason(error)
        case BoringSSLError.sslError(let stack), BoringSSLError.unknownError(let stack):
            let texts = stack.map { error in
                let text = "\(error)"
                let end = text.firstRange(of: " at /")?.lowerBound ?? text.endIndex
                return String(text[..<end].split(separator: ":").last ?? text[...])
            }
            return RedisFault.printable(texts.joined(separator: ", ").utf8)
        default: return RedisFault.printable("\(error)".utf8)
        }
    }

    /// Whether an error is one of TLS.
    static func isCause(of error: any Error) -> Bool {
        switch error {
        case NIOSSLError.uncleanShutdown: false
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: true
        default: false
        }
    }
}

/// Sees how a handshake ends: notes when the server's certificate does, or has the files read again.
private final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let encryption: Encryption
    private let telemetry: RedisTelemetry
    private var isDone = false

    init(encryption: Encryption, telemetry: RedisTelemetry) {
        self.encryption = encryption
        self.telemetry = telemetry
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            isDone = true
            if let server = try? context.channel.pipeline.syncOperations.nioSSL_peerCertificate() {
                telemetry.certificate(of: "server", endsAt: Int(server.notValidAfter))
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A server that refuses our certificate says so behind the handshake.
        if Encryption.isCause(of: error) { encryption.forget() }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDone { encryption.forget() }
        context.fireChannelInactive()
    }
}
