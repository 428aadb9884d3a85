public import Headgate
public import HeadgateAccounts
public import HeadgateEvents
public import HeadgateHTTP
import HeadgateHummingbird
public import HeadgatePolicy
public import HeadgateUsage
import Hummingbird
public import ServiceLifecycle

/// What an API provider's rate-limit page promises, ready to be put in front of an API: keys, plans, limits, usage, boosts.
///
/// All instances that share a Redis are one provider. Its ``services`` have to run, after the store's and before the server's.
public struct Provider: Sendable {
    /// The page's rules.
    public let policy: Policy

    /// What judges requests.
    public let limiter: Limiter

    /// Whose keys there are.
    public let directory: AccountDirectory

    /// How answers look.
    public let style: ResponseStyle

    /// Counts decisions for analytics.
    public let usage: UsageRecorder

    /// Tells of accounts that come near their limits.
    public let watch: LimitWatch

    let callers: CallerFinder
    package let reports: UsageReader

    /// Creates a provider.
    ///
    /// - Parameters:
    ///   - policy: The page's rules.
    ///   - limiter: What judges requests; its rules are the policy.
    ///   - directory: Whose keys there are.
    ///   - usage: Counts decisions for analytics.
    ///   - reports: Reads those counts.
    ///   - watch: Tells of accounts that come near their limits.
    ///   - clients: How a request's address is found.
    /// - Throws: ``LimiterError`` when the guard against wrong keys cannot be made.
    public init(
        policy: Policy,
        limiter: Limiter,
        directory: AccountDirectory,
        usage: UsageRecorder,
        reports: UsageReader,
        watch: LimitWatch,
        clients: ClientLocator = ClientLocator()
    ) throws(LimiterError) {
        self.policy = policy
        self.limiter = limiter
        self.directory = directory
        style = ResponseStyle(policy.responses)
        self.usage = usage
        self.reports = reports
        self.watch = watch
        callers = CallerFinder(
            directory: directory,
            authenticator: try KeyAuthenticator(directory, store: limiter.store),
            clients: clients,
            style: style
        )
    }

    /// What has to run: after the store, before the server, in this order.
    public var services: [any Service] { [directory, usage, watch] }

    /// Notes a decision for analytics and events; costs no call to Redis.
    public func note(_ decision: Decision, for identity: Identity) {
        usage.record(decision, for: identity)
        watch.observe(decision, for: identity)
    }
}
