public import HeadgateEvents
public import HeadgateProvider
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

    /// What services prove themselves with where they are not believed otherwise.
    public var serviceToken: Secret?

    /// How a request's address is found behind proxies.
    public var clients: ClientLocator

    /// Where accounts and keys live, when not where counts do.
    public var accountsStore: StoreChoice?

    /// Where operators' requests are taken; `nil` for nowhere.
    public var adminListen: ListenAddress?

    /// What operators prove themselves with.
    public var adminToken: Secret?

    /// What proves that somebody may look, and not change.
    public var adminReadToken: Secret?

    /// The API that allowed requests are forwarded to; `nil` when this is no gateway.
    public var upstream: UpstreamConfiguration?

    /// Where events are sent.
    public var webhook: WebhookConfiguration?

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
        serviceToken: Secret? = nil,
        clients: ClientLocator = ClientLocator(),
        accountsStore: StoreChoice? = nil,
        adminListen: ListenAddress? = ListenAddress(host: "127.0.0.1", port: 8081),
        adminToken: Secret? = nil,
        adminReadToken: Secret? = nil,
        upstream: UpstreamConfiguration? = nil,
        webhook: WebhookConfiguration? = nil,
        deadline: Duration = .milliseconds(50),
        drainDelay: Duration = .milliseconds(500),
        shutdownTimeout: Duration = .seconds(8),
        logLevel: Logger.Level = .info
    ) {
        self.policy = policy
        self.listen = listen
        self.store = store
        self.identityTrust = identityTrust
        self.serviceToken = serviceToken
        self.clients = clients
        self.accountsStore = accountsStore
        self.adminListen = adminListen
        self.adminToken = adminToken
        self.adminReadToken = adminReadToken
        self.upstream = upstream
        self.webhook = webhook
        self.deadline = deadline
        self.drainDelay = drainDelay
        self.shutdownTimeout = shutdownTimeout
        self.logLevel = logLevel
    }

    /// Whether callers are believed when they say who they are.
    public var trustsCallers: Bool { identityTrust == .everybody || listen.isLoopback }
}
