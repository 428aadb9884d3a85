/// Where a Redis server listens.
public enum RedisEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// A host's name or address, and a TCP port. Names are resolved anew at each connect.
    case host(String, port: Int)
    /// The path of a Unix domain socket.
    case unixSocket(path: String)

    /// Redis' registered port.
    public static let defaultPort = 6379

    /// The endpoint as people write it.
    public var description: String {
        switch self {
        case .host(let name, let port): name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
        case .unixSocket(let path): "unix:\(path)"
        }
    }

    /// The host's name or address, when it has one.
    var host: String? {
        if case .host(let name, _) = self { name } else { nil }
    }
}
