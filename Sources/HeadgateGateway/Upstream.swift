/// The service that requests are passed on to, and how long it is waited for.
public struct Upstream: Sendable, Hashable {
    /// `http` or `https`.
    public let scheme: String

    /// A name, or an address without brackets.
    public let host: String

    /// A TCP port.
    public let port: Int

    /// What stands in front of every path, without a slash at its end; mostly empty.
    public let pathPrefix: String

    /// For a connection, or for one to become free.
    public var connectTimeout: Duration

    /// From the last byte of a request until its answer's head.
    public var responseTimeout: Duration

    /// Between two parts of an answer's body, while its client takes them.
    public var idleTimeout: Duration

    /// How long an unused connection is kept: less than the 5 s of most servers, so that hardly a request meets one that is closing.
    public var keepAlive: Duration

    /// As many connections as are open at once; further requests wait for the connect timeout.
    public var maximumConnections: Int

    /// The `Host` that it is asked for.
    public var hostField: HostField

    /// What shows that it is there.
    public var probe: Probe

    /// Whose name a request's `Host` is.
    public enum HostField: Sendable, Hashable {
        /// As the client sent it.
        case client
        /// The upstream's own.
        case upstream
    }

    /// How an upstream is asked whether it is there.
    public enum Probe: Sendable, Hashable {
        /// It accepts a connection.
        case connect
        /// It answers `GET` of this path with less than 500; the path prefix is not put in front.
        case get(path: String)
    }

    init(scheme: String, host: String, port: Int, pathPrefix: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.pathPrefix = pathPrefix
        connectTimeout = .seconds(2)
        responseTimeout = .seconds(60)
        idleTimeout = .seconds(60)
        keepAlive = .seconds(4)
        maximumConnections = 1_024
        hostField = .client
        probe = .connect
    }

    /// The upstream without a path.
    var origin: String { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

extension Upstream: CustomStringConvertible {
    /// The URL that is read as this.
    public var description: String { origin + pathPrefix }
}
