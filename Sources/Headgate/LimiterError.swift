/// Why no decision could be made, or why a call was refused.
///
/// A denial is not an error: it is a ``Decision``. Compare by ``code``; the message is for people.
public struct LimiterError: Error, Sendable, CustomStringConvertible {
    /// The kind of the failure.
    public let code: Code

    /// What went wrong, with what was expected, free of credentials and of subjects' identities.
    public let message: String

    /// Whether the store may have charged the request all the same.
    public let charge: ChargeCertainty

    /// The error underneath, when there is one.
    public let cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, charge: ChargeCertainty = .notCharged, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.charge = charge
        self.cause = cause
    }

    /// The code and the message in one line.
    public var description: String { "\(code): \(message)" }

    /// What is known of a failed request's charge.
    public enum ChargeCertainty: Sendable, Hashable {
        /// The store certainly did not run the request: it may be sent again.
        case notCharged
        /// The request left, and its answer never came: it may have been charged once, and is never sent again.
        case unknown
    }
}

extension LimiterError {
    /// The closed set of failures; adding one breaks nobody.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case badRequest, invalidLimit, unknownTier, customLimitMissing, invalidPath, noRules
            case leaseLost, alreadyRefunded
            case cancelled, deadlineExceeded, overloaded, closed
            case connect, dns, tls, authentication, permission
            case readOnly, loading, masterDown, clusterDown, crossSlot, busy, outOfMemory, misconfigured, noReplicas, maxClients
            case tooManyRedirects, noSentinel, unknownMaster, unsafeEviction
            case script, wireProtocol, desynchronised
        }

        private let value: Value

        private init(_ value: Value) { self.value = value }

        /// The code's name, as it appears in logs and metrics.
        public var description: String { value.rawValue }

        /// The request itself is wrong; sending it again changes nothing.
        public static let badRequest = Code(.badRequest)
        /// A limit's numbers cannot be counted exactly or make no sense.
        public static let invalidLimit = Code(.invalidLimit)
        /// The subject's tier is not in the policy.
        public static let unknownTier = Code(.unknownTier)
        /// The subject's tier says `custom`, and the subject brings no limit of its own.
        public static let customLimitMissing = Code(.customLimitMissing)
        /// The request's path cannot be brought into canonical form.
        public static let invalidPath = Code(.invalidPath)
        /// The limiter was asked to judge by a policy and has none.
        public static let noRules = Code(.noRules)

        /// The concurrency slot ended before its holder did.
        public static let leaseLost = Code(.leaseLost)
        /// The decision was refunded before.
        public static let alreadyRefunded = Code(.alreadyRefunded)

        /// The calling task was cancelled.
        public static let cancelled = Code(.cancelled)
        /// The store did not answer within the decision's deadline.
        public static let deadlineExceeded = Code(.deadlineExceeded)
        /// More decisions wait than the process is allowed to hold.
        public static let overloaded = Code(.overloaded)
        /// The store is shut down, or its `run()` was never called.
        public static let closed = Code(.closed)

        /// No connection to Redis could be made, or it broke.
        public static let connect = Code(.connect)
        /// The host's name could not be resolved.
        public static let dns = Code(.dns)
        /// The TLS handshake failed.
        public static let tls = Code(.tls)
        /// Redis refused the user or the password.
        public static let authentication = Code(.authentication)
        /// The Redis user lacks a command or a key pattern.
        public static let permission = Code(.permission)

        /// The server is a replica.
        public static let readOnly = Code(.readOnly)
        /// The server is still loading its data.
        public static let loading = Code(.loading)
        /// The server is a replica whose master is away.
        public static let masterDown = Code(.masterDown)
        /// The cluster does not serve the key's slot.
        public static let clusterDown = Code(.clusterDown)
        /// The keys of one call live in different slots.
        public static let crossSlot = Code(.crossSlot)
        /// The nodes of a cluster send a call from one to the other.
        public static let tooManyRedirects = Code(.tooManyRedirects)
        /// No sentinel could be asked where the master is.
        public static let noSentinel = Code(.noSentinel)
        /// The sentinels know no master of that name.
        public static let unknownMaster = Code(.unknownMaster)
        /// The server may evict counts, and the configuration refuses such servers.
        public static let unsafeEviction = Code(.unsafeEviction)
        /// Another client's script blocks the server.
        public static let busy = Code(.busy)
        /// The server is at its memory limit.
        public static let outOfMemory = Code(.outOfMemory)
        /// The server refuses writes because it cannot persist.
        public static let misconfigured = Code(.misconfigured)
        /// The server refuses writes because it lacks replicas.
        public static let noReplicas = Code(.noReplicas)
        /// The server accepts no more clients.
        public static let maxClients = Code(.maxClients)

        /// The script failed inside Redis.
        public static let script = Code(.script)
        /// The peer does not speak Redis' protocol, or answers in an unexpected shape.
        public static let wireProtocol = Code(.wireProtocol)
        /// A reply carried another request's nonce.
        public static let desynchronised = Code(.desynchronised)
    }
}
