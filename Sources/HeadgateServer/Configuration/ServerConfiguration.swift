public import Logging

/// How the server is set up.
public struct ServerConfiguration: Sendable {
    /// The policy's file; nothing is served without one.
    public var policy: String

    /// Where to listen.
    public var listen: ListenAddress

    /// Where counts live.
    public var store: StoreChoice

    /// Who may say on whose behalf a request is made.
    public var identityTrust: IdentityTrust

    /// The time that a decision may take as a whole.
    public var deadline: Duration

    /// How long to go on serving after readiness was turned off, so that load balancers see it.
    public var drainDelay: Duration

    /// The time in which requests under way are answered at shutdown; what takes longer is cut off.
    public var shutdownTimeout: Duration

    /// The least important messages that are logged.
    public var logLevel: Logger.Level

    /// Who may say on whose behalf a request is made, as `/v1/decisions` and identity headers do.
    public enum IdentityTrust: Sendable, Hashable {
        /// Processes of this machine, when the listener is a loopback address; nobody otherwise.
        case loopback
        /// Everybody who reaches the listener: a proxy in front removes what clients claim.
        case everybody
    }

    /// Creates a configuration; without arguments but the policy it is that of a first try on one machine.
    public init(
        policy: String,
        listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 8080),
        store: StoreChoice = .embedded,
        identityTrust: IdentityTrust = .loopback,
        deadline: Duration = .milliseconds(50),
        drainDelay: Duration = .milliseconds(500),
        shutdownTimeout: Duration = .seconds(8),
        logLevel: Logger.Level = .info
    ) {
        self.policy = policy
        self.listen = listen
        self.store = store
        self.identityTrust = identityTrust
        self.deadline = deadline
        self.drainDelay = drainDelay
        self.shutdownTimeout = shutdownTimeout
        self.logLevel = logLevel
    }

    /// Whether callers are believed when they say who they are.
    public var trustsCallers: Bool { identityTrust == .everybody || listen.isLoopback }
}
