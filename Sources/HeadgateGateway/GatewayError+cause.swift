import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension GatewayError {
    /// The error that stands for what AsyncHTTPClient and SwiftNIO throw.
    ///
    /// - Parameters:
    ///   - cause: What was thrown.
    ///   - wasConnected: Whether a connection to the upstream was made.
    init(_ cause: any Error, wasConnected: Bool) {
        switch cause {
        case let error as GatewayError: self = error
        case is ClientGone: self.init(.clientGone)
        case let error as UploadFailed: self.init(error.isMalformed ? .invalidBody : .clientGone, cause: cause)
        case is CancellationError: self.init(.closed, cause: cause)
        case let error as HTTPClientError: self.init(GatewayError.code(of: error), cause: cause)
        case let error as NIOConnectionError: self.init(GatewayError.code(of: error), cause: cause)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: self.init(.tls, cause: cause)
        case is HTTPParserError, is NIOHTTPDecoderError: self.init(.invalidAnswer, cause: cause)
        case ChannelError.connectTimeout: self.init(.timeout, cause: cause)
        default: self.init(wasConnected ? .reset : .unreachable, cause: cause)
        }
    }

    private static func code(of error: HTTPClientError) -> Code {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout, .readTimeout, .writeTimeout, .deadlineExceeded: .timeout
        case .getConnectionFromPoolTimeout: .busy
        case .alreadyShutdown, .cancelled: .closed
        case .bodyLengthMismatch: .clientGone
        case .uncleanShutdown: .tls
        case .remoteConnectionClosed: .reset
        default: .invalidAnswer
        }
    }

    private static func code(of error: NIOConnectionError) -> Code {
        if error.connectionErrors.isEmpty { return .unknownHost }
        let hasTimedOut = error.connectionErrors.contains { if case ChannelError.connectTimeout = $0.error { true } else { false } }
        return hasTimedOut ? .timeout : .unreachable
    }
}

extension UploadFailed {
    /// Whether the client sent what is no body, rather than less than it had said.
    fileprivate var isMalformed: Bool {
        if case .some(let error) = cause as? HTTPParserError { error != .invalidEOFState } else { false }
    }
}

extension HTTPClientError {
    fileprivate static func ~= (pattern: HTTPClientError, error: HTTPClientError) -> Bool { pattern == error }
}
