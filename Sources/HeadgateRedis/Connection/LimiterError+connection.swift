internal import Headgate
internal import NIOCore
internal import NIOPosix

extension LimiterError {
    /// Why a connection could not be made, or why it broke.
    static func connecting(_ error: any Error) -> LimiterError {
        switch error {
        case let error as LimiterError:
            error
        case let error as NIOConnectionError where error.connectionErrors.isEmpty && (error.dnsAError ?? error.dnsAAAAError) != nil:
            LimiterError(.dns, "the name of the Redis host could not be resolved", cause: error)
        case let error as NameUnknown:
            LimiterError(.dns, "the name of the Redis host could not be resolved: \(error.reason)", cause: error)
        case is SocketAddressError:
            LimiterError(.dns, "the address of the Redis host could not be resolved", cause: error)
        case let error where Encryption.isCause(of: error):
            LimiterError(.tls, "TLS with Redis failed: \(Encryption.reason(error))", cause: error)
        default:
            LimiterError(.connect, "the connection to Redis failed: \(RedisFault.printable("\(error)".utf8))", cause: error)
        }
    }

    /// The same error for a call of which something else is known.
    func with(_ charge: ChargeCertainty) -> LimiterError {
        LimiterError(code, message, charge: charge, cause: cause)
    }
}
