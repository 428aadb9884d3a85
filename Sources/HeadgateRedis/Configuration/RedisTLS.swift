/// How the connections to Redis are encrypted, and whom they trust.
///
/// TLS 1.2 or later. The server's certificate and name are verified, and a server that speaks no TLS is not spoken to. Files
/// are PEM, read anew at each connect, so that a rotated one needs no restart.
public struct RedisTLS: Sendable, Hashable {
    /// The file of the authorities that are trusted; `nil` for those of the system.
    public var authorityFile: String?

    /// The file of our own certificate and those that it was signed with, when the server asks for one.
    public var certificateFile: String?

    /// The file of our certificate's key.
    public var keyFile: String?

    /// The name that the server has to prove, sent to it as SNI; `nil` for the host's name, or its address where that is all.
    public var serverName: String?

    /// Whether anybody who answers is believed to be the server: for a first try with a certificate that nobody signed.
    ///
    /// Said in the log at each start.
    public var insecureSkipsVerification: Bool

    /// Creates settings.
    public init(
        authorityFile: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        serverName: String? = nil,
        insecureSkipsVerification: Bool = false
    ) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.serverName = serverName
        self.insecureSkipsVerification = insecureSkipsVerification
    }
}
