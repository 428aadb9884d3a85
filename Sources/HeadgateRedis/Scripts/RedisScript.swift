internal import Crypto
internal import Headgate
internal import LuaScripts

/// A Lua script and the name under which Redis keeps it.
struct RedisScript: Sendable, Hashable {
    /// The Lua source.
    let source: String

    /// The hex SHA-1 of the source.
    let digest: String

    /// The command that makes Redis know it, framed; Redis answers with the digest.
    let loading: [UInt8]

    /// - Throws: ``LimiterError/Code/badRequest`` when the source is too long for a command.
    init(_ source: String) throws(LimiterError) {
        self.source = source
        digest = Insecure.SHA1.hash(data: Array(source.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
        loading = try CommandArguments(["SCRIPT", "LOAD", source]).framed()
    }

    /// The script of this product.
    static func headgate() throws(LimiterError) -> RedisScript { try RedisScript(Scripts.source) }
}
