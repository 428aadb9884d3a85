public import HTTPTypes

/// Why a request could not be passed on, or its answer did not come.
///
/// Nothing of it tells where the upstream is; the cause does, and is for logs.
public struct GatewayError: Error, Sendable, CustomStringConvertible {
    /// The kind of the failure.
    public let code: Code

    /// The error underneath, when there is one.
    public let cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, cause: (any Error)? = nil) {
        self.code = code
        self.cause = cause
    }

    /// The status to answer with.
    public var status: HTTPResponse.Status { code.status }

    /// What happened, in words fit for a client.
    public var message: String { code.message }

    /// The code and the message in one line.
    public var description: String { "\(code): \(message)" }
}

extension GatewayError {
    /// The closed set of failures; adding one breaks nobody.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case unreachable = "upstream_unreachable"
            case unknownHost = "upstream_unknown_host"
            case tls = "upstream_tls_failed"
            case reset = "upstream_reset"
            case invalidAnswer = "upstream_invalid_answer"
            case unhealthy = "upstream_unhealthy"
            case timeout = "upstream_timeout"
            case busy = "upstream_busy"
            case upgrade = "upgrade_not_supported"
            case invalidTarget = "invalid_target"
            case invalidBody = "invalid_body"
            case clientGone = "client_closed_request"
            case closed = "gateway_closed"
        }

        private let value: Value

        private init(_ value: Value) { self.value = value }

        /// The code as it stands in bodies, logs and metrics: `upstream_timeout`.
        public var description: String { value.rawValue }

        /// The upstream accepts no connection.
        public static let unreachable = Code(.unreachable)
        /// The upstream's name could not be resolved.
        public static let unknownHost = Code(.unknownHost)
        /// The TLS handshake with the upstream failed.
        public static let tls = Code(.tls)
        /// The upstream closed the connection before it answered.
        public static let reset = Code(.reset)
        /// What the upstream sent is no HTTP answer that can be passed on.
        public static let invalidAnswer = Code(.invalidAnswer)
        /// The upstream answers its probe with an error.
        public static let unhealthy = Code(.unhealthy)
        /// The upstream did not take the connection or did not answer in time.
        public static let timeout = Code(.timeout)
        /// All connections to the upstream were in use.
        public static let busy = Code(.busy)
        /// The client wants another protocol, or a tunnel.
        public static let upgrade = Code(.upgrade)
        /// The request's target is no path that can be passed on.
        public static let invalidTarget = Code(.invalidTarget)
        /// The client's body is malformed.
        public static let invalidBody = Code(.invalidBody)
        /// The client did not wait for the answer; nobody reads the status.
        public static let clientGone = Code(.clientGone)
        /// The gateway is shutting down.
        public static let closed = Code(.closed)

        var status: HTTPResponse.Status {
            switch value {
            case .unreachable, .unknownHost, .tls, .reset, .invalidAnswer, .unhealthy: .badGateway
            case .timeout, .busy: .gatewayTimeout
            case .upgrade: .notImplemented
            case .invalidTarget, .invalidBody: .badRequest
            case .clientGone: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
            case .closed: .serviceUnavailable
            }
        }

        var message: String {
            switch value {
            case .unreachable, .unknownHost: "the service behind this gateway cannot be reached"
            case .tls: "no secure connection to the service behind this gateway could be made"
            case .reset: "the service behind this gateway closed the connection without an answer"
            case .invalidAnswer: "the service behind this gateway sent no valid answer"
            case .unhealthy: "the service behind this gateway is not well"
            case .timeout: "the service behind this gateway did not answer in time"
            case .busy: "the service behind this gateway has no free connection"
            case .upgrade: "this gateway passes on requests over HTTP/1.1 alone, neither upgrades nor tunnels"
            case .invalidTarget: "the request's target is no path"
            case .invalidBody: "the request's body is malformed"
            case .clientGone: "the client closed its connection"
            case .closed: "this gateway is shutting down"
            }
        }
    }
}
