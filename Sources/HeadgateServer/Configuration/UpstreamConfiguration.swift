/// The API behind the gateway.
public struct UpstreamConfiguration: Sendable {
    /// Where it is: `http://host:port`, with a path in front of all paths if wanted.
    public var url: String

    /// How long it may take until its answer begins.
    public var responseTimeout: Duration

    /// A path that answers below 500 while it is well; `nil` only tries to connect.
    public var healthPath: String?

    /// Creates a configuration.
    public init(url: String, responseTimeout: Duration = .seconds(60), healthPath: String? = nil) {
        self.url = url
        self.responseTimeout = responseTimeout
        self.healthPath = healthPath
    }
}
